// Hostile bytes and names in uploads. Other tests cover
// - test/server/files/photo-uploads/refusals.test.ts: honest mistakes
// - test/server/http/slow-bodies.test.ts: slow uploads
// - node dist/test/fuzz/main.js: broken images in the decoders
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { eventually } from "../support/runner/eventually.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { storedFiles } from "../support/service/stored-files.js";
import { startAttackedService, LEAKS, type AttackedService } from "./attacked-service.js";
import { head, sendRaw, type RawAnswer } from "./raw-request.js";
import {
  END,
  FORMS,
  NAMES,
  NO_PHOTOS,
  SCRIPT,
  disposition,
  part,
  text,
} from "./uploads/hostile-uploads.js";

const LIMIT = 200_000;

describe("an upload", () => {
  const folder = temporaryFolder().path;
  let service: AttackedService;
  let authorization: string;
  before(async () => {
    service = await startAttackedService({
      STORAGE_URL: `file:${folder}`,
      MAX_UPLOAD_BYTES: String(LIMIT),
      MAX_PHOTO_PIXELS: "1000000",
    });
    authorization = `authorization: Bearer ${service.victim.token}`;
  });
  after(() => service.close());

  function post(
    body: Buffer,
    headers: string[],
    announced = body.length,
    timeoutMs?: number,
  ): Promise<RawAnswer> {
    return sendRaw(
      service.url,
      [head("POST /photos", [authorization, `content-length: ${announced}`, ...headers]), body],
      timeoutMs,
    );
  }

  async function assertRefused({ status, body }: RawAnswer, ...statuses: number[]): Promise<void> {
    assert.ok(statuses.includes(status), `${status} ${body}`);
    assert.doesNotMatch(body, LEAKS);
    await eventually("no file is stored", () => storedFiles(folder).length === 0);
    assert.equal((await service.database.sql`select from photos`).length, 0);
  }

  for (const [what, bytes] of NO_PHOTOS) {
    it(`is refused when it is ${what} with the type JPEG`, async () =>
      assertRefused(await post(bytes(), ["content-type: image/jpeg"]), 415));
    it(`is refused when it is ${what} in a form`, async () =>
      assertRefused(
        await post(
          Buffer.concat([
            part([disposition("file", "a.jpg"), "content-type: image/jpeg"], bytes()),
            END,
          ]),
          ["content-type: multipart/form-data; boundary=x"],
        ),
        415,
      ));
  }
  for (const [what, body] of FORMS)
    it(`is refused as a form with ${what}`, async () =>
      assertRefused(
        await post(body(), ["content-type: multipart/form-data; boundary=x"]),
        400,
        413,
        415,
      ));

  it("is refused when it is shorter than its Content-Length", async () =>
    assertRefused(await post(text("GIF89a"), ["content-type: image/gif"], 5000, 300), 0, 400, 408));
  it("is refused before its body when its Content-Length exceeds the limit", async () =>
    assertRefused(await post(Buffer.alloc(0), ["content-type: image/gif"], 1e12), 413));
  it("is refused when it has two lengths", async () =>
    assertRefused(await post(smallPhoto(), ["content-type: image/png", "content-length: 1"]), 400));
  it("is refused when it is chunked and has a length, which allows request smuggling", async () =>
    assertRefused(
      await post(text("0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n"), [
        "content-type: image/png",
        "transfer-encoding: chunked",
      ]),
      400,
    ));
  it("is refused when it has a header of a megabyte", async () =>
    assertRefused(
      await post(smallPhoto(), ["content-type: image/png", `x-filename: ${"x".repeat(1_000_000)}`]),
      0,
      431,
    ));
  it("is refused when it has 3,000 headers before its token", async () =>
    assertRefused(
      await sendRaw(service.url, [
        head("POST /photos", [
          ...Array.from({ length: 3000 }, (_, i) => `x${i}: y`),
          authorization,
        ]),
        smallPhoto(),
      ]),
      0,
      401,
      431,
    ));
  it("is refused when its chunks exceed the limit together", async () => {
    const chunk = text(`10000\r\n${"\0".repeat(65_536)}\r\n`);
    await assertRefused(
      await sendRaw(service.url, [
        head("POST /photos", [
          authorization,
          "content-type: image/png",
          "transfer-encoding: chunked",
        ]),
        ...Array.from({ length: 8 }, () => chunk),
        "0\r\n\r\n",
      ]),
      0,
      413,
      415,
    );
  });
  it("is never decompressed, so that a gzip bomb is refused", async () =>
    assertRefused(
      await post(Buffer.from("1f8b08000000000000", "hex"), [
        "content-type: image/png",
        "content-encoding: gzip",
      ]),
      415,
    ));
  for (const url of [
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
    "http://127.0.0.1:1/",
  ]) {
    it(`does not make the service fetch ${url}`, async () =>
      assertRefused(
        await post(text(JSON.stringify({ url })), [
          "content-type: application/json",
          `x-image-url: ${url}`,
        ]),
        415,
      ));
  }

  for (const [i, [what, name, kept]] of NAMES.entries()) {
    it(`does not use a name that ${what} as a path or in headers`, async () => {
      const answer = await post(smallPhoto(9, 10 + i), [
        "content-type: image/png",
        `x-filename: ${encodeURIComponent(name)}`,
      ]);
      assert.equal(answer.status, 201, answer.body);
      const photo = JSON.parse(answer.body) as { id: string; filename: string; url: string };
      assert.match(photo.filename, kept);
      assert.deepEqual(
        storedFiles(folder).filter(
          (path) => !/^kept\/(photos|previews)\/[0-9a-f-]{36}\/[0-9a-f-]{36}$/.test(path),
        ),
        [],
      );
      const file = await sendRaw(service.url, head(`GET ${photo.url}`));
      assert.deepEqual([file.status, file.headers["set-cookie"]], [200, undefined]);
      assert.match(
        file.headers["content-disposition"] ?? "",
        /^inline; (filename="[\w .-]+"|filename\*=UTF-8''[\w%.!~*-]+)$/,
      );
      await service.victim.get("mutation ($id: ID!) { deletePhoto(id: $id) }", { id: photo.id });
    });
  }

  it("that is both an image and an HTML page is served as an image only", async () => {
    const answer = await post(Buffer.concat([smallPhoto(), text(SCRIPT)]), [
      "content-type: text/html",
      "x-filename: a.html",
    ]);
    assert.equal(answer.status, 201, answer.body);
    const file = await sendRaw(
      service.url,
      head(`GET ${(JSON.parse(answer.body) as { url: string }).url}`, ["accept: text/html"]),
    );
    assert.deepEqual(
      [
        file.headers["content-type"],
        file.headers["x-content-type-options"],
        file.headers["content-security-policy"],
      ],
      ["image/png", "nosniff", "sandbox; default-src 'none'"],
    );
  });

  it("of another user's bytes makes a new Photo, and does not reveal the other one", async () => {
    const bytes = smallPhoto();
    const [first, second] = [
      await service.victim.upload(bytes, { type: "image/png" }),
      await (await service.stranger()).upload(bytes, { type: "image/png" }),
    ];
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.notEqual(first.json["id"], second.json["id"]);
  });

  it("has not harmed the service", () => service.assertUnharmed());
});
