import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { PHOTO_FIELDS } from "../../support/clients/photo-fields.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { storedFiles } from "../../support/service/stored-files.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

describe("an upload", () => {
  const folder = temporaryFolder().path;
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService({
      workers: 0,
      env: { STORAGE_URL: `file:${folder}`, MAX_STORED_BYTES_PER_USER: "3000" },
    });
  });
  after(() => service.close());

  for (const form of [false, true]) {
    const way = form ? "as a form" : "as raw bytes";
    it(`${way} returns the Photo, whatever its declared type`, async () => {
      person = await service.person();
      const bytes = smallPhoto(12, 6);
      const { status, json } = await person.upload(bytes, {
        type: "image/jpeg",
        filename: "meer.jpeg",
        form,
      });
      assert.equal(status, 201);
      assert.deepEqual(
        (
          await person.get(`query ($id: ID!) { photo(id: $id) { ${PHOTO_FIELDS} } }`, {
            id: json["id"],
          })
        ).photo,
        json,
      );
      assert.deepEqual(
        [
          json["filename"],
          json["mimeType"],
          json["width"],
          json["height"],
          json["byteSize"],
          json["sha256"],
        ],
        [
          "meer.jpeg",
          "image/png",
          12,
          6,
          bytes.length,
          createHash("sha256").update(bytes).digest("hex"),
        ],
      );
      const [file, preview] = await Promise.all(
        [json["url"], json["previewUrl"]].map((url) => fetch(new URL(String(url), service.url))),
      );
      assert.ok(bytes.equals(Buffer.from(await (file as Response).arrayBuffer())));
      assert.equal(preview?.headers.get("content-type"), "image/webp");
    });

    for (const [sent, kept] of [
      ["Grüße 🌄 от Анны.png", "Grüße 🌄 от Анны.png"],
      ["../../etc/passwd", "passwd"],
      ["100%", "100%"],
      ["", "photo"],
      ["\u202egnp.\u200fa\u0000b.png", "gnp.ab.png"],
      ["C:\\photos\\a.png", "a.png"],
      ["é".repeat(300), "é".repeat(200)],
    ] as const) {
      if (form && sent === "") continue;
      it(`${way} named ${JSON.stringify(sent)} is stored as ${JSON.stringify(kept)}`, async () => {
        const { json } = await person.upload(smallPhoto(), { filename: sent, form });
        assert.equal(json["filename"], kept);
      });
    }

    it(`${way} of the same bytes returns the first Photo, and stores nothing`, async () => {
      const [one, other] = [await service.person(), await service.person()];
      const bytes = smallPhoto();
      const first = await one.upload(bytes, { filename: "first.png", form });
      const files = storedFiles(folder);
      const again = await one.upload(bytes, { filename: "second.png", form: !form });
      assert.deepEqual([first.status, again.status, again.json], [201, 200, first.json]);
      assert.deepEqual(storedFiles(folder), files);
      const others = await other.upload(bytes, { form });
      assert.deepEqual([others.status, others.json["id"] === first.json["id"]], [201, false]);
    });
  }

  const TYPES = [
    undefined,
    "",
    " ",
    "image",
    "image/",
    "/jpeg",
    "jpeg",
    "heic;;",
    "image/heic; a",
    'image/heic; a="',
    "a/b/c",
    "é/ü",
    "*/*",
    "application/octet-stream",
    "text/html",
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/mixed; boundary=x",
  ];
  for (const type of TYPES) {
    const typed =
      type === undefined ? "without a content type" : `of the content type ${JSON.stringify(type)}`;
    it(`as raw bytes ${typed} returns the Photo, with the type of its content`, async () => {
      const bytes = smallPhoto();
      const headers = {
        authorization: `Bearer ${person.token}`,
        "content-length": bytes.length,
        ...(type !== undefined && { "content-type": Buffer.from(type).toString("latin1") }),
      };
      const answer = await new Promise<{ status: number; body: string }>((resolve, reject) => {
        const client = request(
          `${service.url}/photos`,
          { method: "POST", headers },
          async (response) => {
            resolve({
              status: response.statusCode ?? 0,
              body: Buffer.concat((await response.toArray()) as Buffer[]).toString(),
            });
          },
        );
        client.on("error", reject).end(bytes);
      });
      assert.equal(answer.status, 201, answer.body);
      assert.equal((JSON.parse(answer.body) as { mimeType: string }).mimeType, "image/png");
      await person.get("mutation ($id: ID!) { deletePhoto(id: $id) }", {
        id: (JSON.parse(answer.body) as { id: string }).id,
      });
    });
  }

  it("of the same bytes eight times at once creates one Photo, file and preview", async () => {
    const one = await service.person();
    const bytes = smallPhoto();
    const countBefore = storedFiles(folder).length;
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => one.upload(bytes, { form: i % 2 === 0 })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted(),
      [200, 200, 200, 200, 200, 200, 200, 201],
    );
    assert.equal(new Set(answers.map(({ json }) => json["id"])).size, 1);
    assert.equal((await one.get("{ photos { totalCount } }")).photos.totalCount, 1);
    assert.equal(storedFiles(folder).length, countBefore + 2);
    assert.deepEqual(storedFiles(`${folder}/scratch`), []);
  });

  it("of a deleted Photo's bytes creates a new Photo", async () => {
    const bytes = smallPhoto();
    const first = await person.upload(bytes);
    await person.get("mutation ($id: ID!) { deletePhoto(id: $id) }", { id: first.json["id"] });
    const again = await person.upload(bytes);
    assert.equal(again.status, 201);
    assert.notEqual(again.json["id"], first.json["id"]);
  });

  it("above the user's storage limit is refused with 429, and stores nothing", async () => {
    const one = await service.person();
    assert.equal((await one.upload(smallPhoto(25, 25))).status, 201);
    const files = storedFiles(folder);
    const message =
      "Quota exceeded: at most 3000 bytes of photos and outputs per user; delete some.";
    const over = await one.upload(smallPhoto(25, 25));
    assert.deepEqual(
      [over.status, over.json],
      [429, { code: "QUOTA_EXCEEDED", message, retryAfterMs: 60_000 }],
    );
    assert.deepEqual(storedFiles(folder), files);

    await service.database.sql`update user_streams set stored_bytes = 3000
        where user_id = ${(await one.get("{ me { id } }")).me.id}`;
    const full = await fetch(`${service.url}/photos`, {
      method: "POST",
      headers: { authorization: `Bearer ${one.token}`, "content-type": "image/png" },
      body: smallPhoto(),
    });
    assert.deepEqual(
      [full.status, full.headers.get("retry-after"), await full.json()],
      [429, "60", { code: "QUOTA_EXCEEDED", message, retryAfterMs: 60_000 }],
    );
  });

  it("of a truncated image is accepted without a preview", async () => {
    const { status, json } = await person.upload(smallPhoto(20, 20).subarray(0, 300));
    assert.deepEqual(
      [status, json["width"], json["previewUrl"], json["thumbhash"]],
      [201, 20, null, null],
    );
  });
});
