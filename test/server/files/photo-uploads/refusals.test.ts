import assert from "node:assert/strict";
import { request, type ClientRequest } from "node:http";
import { after, before, describe, it } from "node:test";
import { armFailpoints } from "../../../../src/runtime/failpoint.js";
import { temporaryFolder } from "../../../imaging/temporary-folder.js";
import { eventually } from "../../../support/runner/eventually.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { storedFiles } from "../../../support/service/stored-files.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const LIMIT = 100_000;
const TOO_LONG = `The file is longer than ${LIMIT} bytes. Scale it down and upload it again.`;
const HOW =
  "send the raw bytes as image/* or application/octet-stream, or a form " +
  '(multipart/form-data) with one "file".';
const BROKEN = /^The upload is broken\. It was sent as "multipart\/form-data[^"]*": /;
const FORMATS = /Upload it as JPEG, PNG, /;
const text = (content: string) => Buffer.from(content);

interface Refusal {
  status: number;
  body: { code?: string; message?: string };
}

describe("an upload that is refused", () => {
  const folder = temporaryFolder().path;
  let service: TestService;
  let authorization: string;
  before(async () => {
    service = await startTestService({
      workers: 0,
      env: {
        STORAGE_URL: `file:${folder}`,
        MAX_UPLOAD_BYTES: String(LIMIT),
        MAX_PHOTO_PIXELS: "5000",
      },
    });
    authorization = `Bearer ${await service.token()}`;
  });
  after(() => service.close());

  async function send(
    body: NonNullable<RequestInit["body"]> | null,
    headers: Record<string, string> = {},
  ): Promise<Refusal> {
    const response = await fetch(`${service.url}/photos`, {
      method: "POST",
      headers: { authorization, ...headers },
      ...(body !== null && { body }),
    });
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
    return { status: response.status, body: (await response.json()) as Refusal["body"] };
  }

  function formOf(...files: [field: string, bytes: Buffer][]): FormData {
    const form = new FormData();
    for (const [field, bytes] of files)
      form.append(field, new Blob([bytes], { type: "image/png" }), "a.png");
    return form;
  }

  async function assertNothingKept(): Promise<void> {
    assert.deepEqual(storedFiles(folder), []);
    assert.equal((await service.database.sql`select from photos`).length, 0);
  }

  function assertRefusal(
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

  const NO_PHOTOS: [string, Buffer, RegExp][] = [
    [
      "an SVG",
      text('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'),
      /^This is an SVG drawing, not a photo\./,
    ],
    [
      "an SVG behind an XML declaration",
      text('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
      /^This is an SVG drawing, not a photo\./,
    ],
    ["a PDF", text("%PDF-1.7\n"), /^This is a PDF document, not a photo\./],
    [
      "a web page",
      text("<!doctype html><script>alert(1)</script>"),
      /^This is a web page, not a photo\./,
    ],
    [
      "an archive",
      Buffer.from("504b0304140000000800", "hex"),
      /^This is an archive, not a photo\./,
    ],
    ["text", text("hello"), /^This is text, not a photo\./],
    ["noise", Buffer.from("00fe00fe00fe", "hex"), /^This is not a photo of a known format\./],
  ];
  for (const [what, bytes, message] of NO_PHOTOS) {
    it(`is ${what}, whatever it is called: 415`, async () => {
      for (const form of [false, true]) {
        const refusal = form
          ? await send(formOf(["file", bytes]))
          : await send(bytes, { "content-type": "image/jpeg", "x-filename": "a.jpg" });
        assertRefusal(refusal, 415, "PHOTO_UNREADABLE", message);
        assert.match(refusal.body.message ?? "", FORMATS);
      }
      await assertNothingKept();
    });
  }

  it("has a header that cannot be read: 415", async () => {
    for (const bytes of [
      smallPhoto().subarray(0, 20),
      Buffer.concat([Buffer.from("ffd8ffe0", "hex"), Buffer.alloc(200, 1)]),
    ]) {
      assertRefusal(
        await send(bytes, { "content-type": "image/png" }),
        415,
        "PHOTO_UNREADABLE",
        /^The header of this (PNG|JPEG) file cannot be read: it is damaged or cut off\. Upload the original file again\.$/,
      );
    }
    await assertNothingKept();
  });

  it("has too many pixels: 413", async () => {
    assertRefusal(
      await send(smallPhoto(100, 51), { "content-type": "image/png" }),
      413,
      "PHOTO_TOO_LARGE",
      /^The photo has 0\.01 megapixels \(100 × 51\); at most 0\.01 are accepted\. Scale it down and upload it again\.$/,
    );
    await assertNothingKept();
  });

  it("has too many bytes, however they come: 413", async () => {
    const bytes = Buffer.concat([smallPhoto(), Buffer.alloc(LIMIT)]);
    assertRefusal(
      await send(bytes, { "content-type": "image/png" }),
      413,
      "PHOTO_TOO_LARGE",
      TOO_LONG,
    );
    assertRefusal(await send(formOf(["file", bytes])), 413, "PHOTO_TOO_LARGE", TOO_LONG);
    const announced = await open(
      { "content-type": "image/png", "content-length": "100000000" },
      (upload) => void upload.flushHeaders(),
    );
    assertRefusal(announced, 413, "PHOTO_TOO_LARGE", TOO_LONG);
    const streamed = await open(
      { "content-type": "image/png", "transfer-encoding": "chunked" },
      (upload) => void upload.write(bytes),
    );
    assertRefusal(streamed, 413, "PHOTO_TOO_LARGE", TOO_LONG);
    await assertNothingKept();
  });

  for (const [type, body] of [
    ["application/json", '{"file":"data:image/png;base64,"}'],
    ["application/x-www-form-urlencoded", "file=%89PNG"],
    ["text/html", "<p>"],
  ] as const) {
    it(`is ${type}: 415, and how to send it`, async () => {
      const refusal = await send(body, { "content-type": type });
      assertRefusal(refusal, 415, "PHOTO_UNREADABLE", /not a photo/);
      assert.ok(
        refusal.body.message?.endsWith(` It was sent as "${type}": ${HOW}`),
        refusal.body.message,
      );
      await assertNothingKept();
    });
  }

  it("is told nothing of its content type where that is right: 415", async () => {
    for (const type of ["image/jpeg", "IMAGE/png; a=b", "application/octet-stream", ""]) {
      const { body } = await send("hello", { "content-type": type });
      assert.doesNotMatch(body.message ?? "", /It was sent as/, type);
    }
  });

  const EMPTY: [
    string,
    () => [NonNullable<RequestInit["body"]> | null, Record<string, string>],
    string | RegExp,
  ][] = [
    [
      "raw and empty",
      () => [Buffer.alloc(0), { "content-type": "image/png" }],
      "file: The file is empty.",
    ],
    [
      "a form with an empty file",
      () => [formOf(["file", Buffer.alloc(0)]), {}],
      "file: The file is empty.",
    ],
    ["a form without a file", () => [fieldsOnly(), {}], "file: There is no file."],
    [
      "a form with a file by another name",
      () => [formOf(["photo", smallPhoto()]), {}],
      'photo: The file of the form must be named "file".',
    ],
    [
      "a form with two files",
      () => [formOf(["file", smallPhoto()], ["file", smallPhoto()]), {}],
      "file: There is a second file: upload one at a time.",
    ],
    [
      "a form with three files",
      () => [formOf(["file", smallPhoto()], ["file", smallPhoto()], ["file", smallPhoto()]), {}],
      "file: There is a second file: upload one at a time.",
    ],
    ["a form without a boundary", () => ["--x", { "content-type": "multipart/form-data" }], BROKEN],
    [
      "a form with a boundary of 300 characters",
      () => ["--x", { "content-type": `multipart/form-data; boundary=${"x".repeat(300)}` }],
      BROKEN,
    ],
    [
      "a form with no part",
      () => ["--x--\r\n", { "content-type": "multipart/form-data; boundary=x" }],
      "file: There is no file.",
    ],
    [
      "a form that ends in its middle",
      () => [
        '--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc',
        { "content-type": "multipart/form-data; boundary=x" },
      ],
      BROKEN,
    ],
    [
      "named in no percent-encoding",
      () => [smallPhoto(), { "content-type": "image/png", "x-filename": "100%" }],
      "x-filename: The header x-filename is not percent-encoded.",
    ],
  ];
  for (const [what, make, message] of EMPTY) {
    it(`is ${what}: 400`, async () => {
      assertRefusal(await send(...make()), 400, "BAD_USER_INPUT", message);
      await assertNothingKept();
    });
  }

  it("has no body at all: 400", async () => {
    assertRefusal(
      await send(null),
      400,
      "BAD_USER_INPUT",
      /^(file: There is no file\.|file: The file is empty\.)$/,
    );
    await assertNothingKept();
  });

  it(
    "fails for a reason of the service's own: 500 without a detail, logged, and nothing is " +
      "kept",
    async () => {
      armFailpoints(async (name) => {
        if (name === "upload: before the row")
          throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
      });
      const refusal = await send(smallPhoto(), { "content-type": "image/png" }).finally(() =>
        armFailpoints(async () => {}),
      );
      assertRefusal(refusal, 500, "INTERNAL_SERVER_ERROR", "Internal server error");
      const isFault = (line: Record<string, unknown>) => line["msg"] === "a request failed";
      assert.deepEqual(
        service.logged
          .filter(isFault)
          .map(({ level, err }) => [level, (err as { code: string }).code]),
        [[50, "EIO"]],
      );
      service.logged.splice(0, Infinity, ...service.logged.filter((line) => !isFault(line)));
      await assertNothingKept();
    },
  );

  it("is cut off by its sender leaves nothing behind", async () => {
    const form = "multipart/form-data; boundary=x";
    const head = text(
      '--x\r\ncontent-disposition: form-data; name="file"; ' +
        'filename="a.png"\r\ncontent-type: image/png\r\n\r\n',
    );
    for (const [headers, start] of [
      [{ "content-type": "image/png", "content-length": "50000" }, smallPhoto()],
      [{ "content-type": "image/png", "transfer-encoding": "chunked" }, smallPhoto()],
      [{ "content-type": form, "content-length": "50000" }, Buffer.concat([head, smallPhoto()])],
    ] as const) {
      const upload = begin(headers);
      upload.on("error", () => {});
      upload.write(start);
      await eventually("bytes have arrived", () => storedFiles(folder).length > 0);
      upload.destroy();
      await eventually("nothing is left", () => storedFiles(folder).length === 0);
    }
    await assertNothingKept();
    // Redis may answer late on a busy machine, which is told as well.
    assert.deepEqual(
      service.logged.filter((line) => Number(line["level"]) >= 50 && !("purpose" in line)),
      [],
    );
  });

  function begin(headers: Record<string, string>): ClientRequest {
    return request(`${service.url}/photos`, {
      method: "POST",
      headers: { authorization, ...headers },
    });
  }

  /** An upload that is never ended: its answer must not wait for that. */
  function open(
    headers: Record<string, string>,
    start: (upload: ClientRequest) => void,
  ): Promise<Refusal> {
    return new Promise((resolve, reject) => {
      const upload = begin(headers);
      upload.on("error", reject);
      upload.on("response", async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        upload.destroy();
        resolve({
          status: response.statusCode ?? 0,
          body: JSON.parse(Buffer.concat(chunks).toString()) as Refusal["body"],
        });
      });
      start(upload);
    });
  }
});

function fieldsOnly(): FormData {
  const form = new FormData();
  form.append("file", "text, not a file");
  return form;
}
