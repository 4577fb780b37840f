import assert from "node:assert/strict";
import { request, type ClientRequest } from "node:http";
import { after, before, describe, it } from "node:test";
import { armFailpoints } from "../../../../src/runtime/failpoint.js";
import { eventually } from "../../../support/runner/eventually.js";
import { temporaryFolder } from "../../../imaging/temporary-folder.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { storedFiles } from "../../../support/service/stored-files.js";
import { assertRefusal, formOf, MAX_UPLOAD_BYTES, UploadScene, type Refusal } from "./scene.js";

const TOO_LONG = [
  `The file is longer than ${MAX_UPLOAD_BYTES} bytes.`,
  "Scale it down and upload it again.",
].join(" ");
const MALFORMED = /^The upload is malformed\. Its content type is "multipart\/form-data[^"]*": /;
const text = (content: string) => Buffer.from(content);

describe("an upload that is refused", () => {
  const folder = temporaryFolder().path;
  let scene: UploadScene;
  before(async () => {
    scene = await UploadScene.start(folder);
  });
  after(() => scene.service.close());

  it("has too many bytes, in a form, announced or streamed: 413", async () => {
    const bytes = Buffer.concat([smallPhoto(), Buffer.alloc(MAX_UPLOAD_BYTES)]);
    assertRefusal(
      await scene.send(bytes, { "content-type": "image/png" }),
      413,
      "PHOTO_TOO_LARGE",
      TOO_LONG,
    );
    assertRefusal(await scene.send(formOf(["file", bytes])), 413, "PHOTO_TOO_LARGE", TOO_LONG);
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
    await scene.assertNothingKept();
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
    [
      "a form without a file",
      () => [fieldsOnly(), {}],
      "file: The upload contains no file; send exactly one file.",
    ],
    [
      "a form with a file by another name",
      () => [formOf(["photo", smallPhoto()]), {}],
      'photo: The file of the form must be named "file".',
    ],
    [
      "a form with two files",
      () => [formOf(["file", smallPhoto()], ["file", smallPhoto()]), {}],
      "file: The upload contains a second file; upload one file per request.",
    ],
    [
      "a form with three files",
      () => [formOf(["file", smallPhoto()], ["file", smallPhoto()], ["file", smallPhoto()]), {}],
      "file: The upload contains a second file; upload one file per request.",
    ],
    [
      "a form without a boundary",
      () => ["--x", { "content-type": "multipart/form-data" }],
      MALFORMED,
    ],
    [
      "a form with a boundary of 300 characters",
      () => ["--x", { "content-type": `multipart/form-data; boundary=${"x".repeat(300)}` }],
      MALFORMED,
    ],
    [
      "a form with no part",
      () => ["--x--\r\n", { "content-type": "multipart/form-data; boundary=x" }],
      "file: The upload contains no file; send exactly one file.",
    ],
    [
      "a truncated form",
      () => [
        '--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc',
        { "content-type": "multipart/form-data; boundary=x" },
      ],
      MALFORMED,
    ],
    [
      "raw with a name that is not percent-encoded",
      () => [smallPhoto(), { "content-type": "image/png", "x-filename": "100%" }],
      "x-filename: The header x-filename is not percent-encoded.",
    ],
  ];
  for (const [what, make, message] of EMPTY) {
    it(`is ${what}: 400`, async () => {
      assertRefusal(await scene.send(...make()), 400, "BAD_USER_INPUT", message);
      await scene.assertNothingKept();
    });
  }

  it("has no body: 400", async () => {
    assertRefusal(
      await scene.send(null),
      400,
      "BAD_USER_INPUT",
      /^(file: The upload contains no file; send exactly one file\.|file: The file is empty\.)$/,
    );
    await scene.assertNothingKept();
  });

  it("fails inside the service: 500 without details, logged, and nothing is stored", async () => {
    armFailpoints(async (name) => {
      if (name === "upload: before the row")
        throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
    });
    const refusal = await scene
      .send(smallPhoto(), { "content-type": "image/png" })
      .finally(() => armFailpoints(async () => {}));
    assertRefusal(refusal, 500, "INTERNAL_SERVER_ERROR", "Internal server error");
    const isFault = (line: Record<string, unknown>) => line["msg"] === "a request failed";
    assert.deepEqual(
      scene.service.logged
        .filter(isFault)
        .map(({ level, err }) => [level, (err as { code: string }).code]),
      [[50, "EIO"]],
    );
    scene.service.logged.splice(
      0,
      Infinity,
      ...scene.service.logged.filter((line) => !isFault(line)),
    );
    await scene.assertNothingKept();
  });

  it("is aborted by its sender, and stores nothing", async () => {
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
    await scene.assertNothingKept();
    // Ignore lines about Redis, which can answer late on a busy machine.
    assert.deepEqual(
      scene.service.logged.filter((line) => Number(line["level"]) >= 50 && !("purpose" in line)),
      [],
    );
  });

  function begin(headers: Record<string, string>): ClientRequest {
    return request(`${scene.service.url}/photos`, {
      method: "POST",
      headers: { authorization: scene.authorization, ...headers },
    });
  }

  /** Starts an upload that never ends. The service must answer nevertheless. */
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
