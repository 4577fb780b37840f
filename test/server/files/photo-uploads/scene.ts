import assert from "node:assert/strict";
import { storedFiles } from "../../../support/service/stored-files.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

export interface Refusal {
  status: number;
  body: { code?: string; message?: string };
}

export const MAX_UPLOAD_BYTES = 100_000;

/** A service that accepts only small photos, and a user who uploads to it. */
export class UploadScene {
  readonly service: TestService;
  readonly authorization: string;
  readonly #folder: string;

  private constructor(service: TestService, authorization: string, folder: string) {
    this.service = service;
    this.authorization = authorization;
    this.#folder = folder;
  }

  /** `folder` is the storage folder. */
  static async start(folder: string): Promise<UploadScene> {
    const service = await startTestService({
      workers: 0,
      env: {
        STORAGE_URL: `file:${folder}`,
        MAX_UPLOAD_BYTES: String(MAX_UPLOAD_BYTES),
        MAX_PHOTO_PIXELS: "5000",
      },
    });
    return new UploadScene(service, `Bearer ${await service.token()}`, folder);
  }

  async send(
    body: NonNullable<RequestInit["body"]> | null,
    headers: Record<string, string> = {},
  ): Promise<Refusal> {
    const response = await fetch(`${this.service.url}/photos`, {
      method: "POST",
      headers: { authorization: this.authorization, ...headers },
      ...(body !== null && { body }),
    });
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
    return { status: response.status, body: (await response.json()) as Refusal["body"] };
  }

  async assertNothingKept(): Promise<void> {
    assert.deepEqual(storedFiles(this.#folder), []);
    assert.equal((await this.service.database.sql`select from photos`).length, 0);
  }
}

export function formOf(...files: [field: string, bytes: Buffer][]): FormData {
  const form = new FormData();
  for (const [field, bytes] of files)
    form.append(field, new Blob([bytes], { type: "image/png" }), "a.png");
  return form;
}

export function assertRefusal(
  { status, body }: Refusal,
  expected: number,
  code: string,
  message: string | RegExp,
): void {
  assert.deepEqual(
    [status, body.code, Object.keys(body)],
    [expected, code, ["code", "message", ...(expected === 429 ? ["retryAfterMs"] : [])]],
    body.message,
  );
  if (typeof message === "string") assert.equal(body.message, message);
  else assert.match(body.message ?? "", message);
}
