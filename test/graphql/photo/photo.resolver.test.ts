import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { assertRefused } from "../../support/asserts/assert-refused.js";
import { BROKEN_IDS, idOfNothing } from "../../support/asserts/broken-ids.js";
import { PHOTO_FIELDS } from "../../support/clients/photo-fields.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const PHOTO = `query ($id: ID!) { photo(id: $id) { ${PHOTO_FIELDS} } }`;
const DELETE = "mutation ($id: ID!) { deletePhoto(id: $id) }";

describe("photo, photos and deletePhoto", () => {
  let service: TestService;
  let owner: TestClient;
  before(async () => {
    service = await startTestService({ workers: 0 });
    owner = await service.person();
  });
  after(() => service.close());

  async function uploaded(person: TestClient, bytes = smallPhoto()): Promise<string> {
    return String((await person.upload(bytes, { type: "image/png" })).json["id"]);
  }

  it("return the same fields as the upload", async () => {
    const bytes = smallPhoto(40, 20);
    const { json } = await owner.upload(bytes, { type: "image/png", filename: "Küste.png" });
    const { photo } = await owner.get(PHOTO, { id: String(json["id"]).toUpperCase() });
    assert.deepEqual(json, photo);
    assert.deepEqual(
      { ...photo, id: 0, createdAt: 0, url: 0, previewUrl: 0, urlExpiresAt: 0, thumbhash: 0 },
      {
        id: 0,
        filename: "Küste.png",
        mimeType: "image/png",
        width: 40,
        height: 20,
        byteSize: bytes.length,
        sha256: createHash("sha256").update(bytes).digest("hex"),
        createdAt: 0,
        url: 0,
        previewUrl: 0,
        urlExpiresAt: 0,
        thumbhash: 0,
        takenAt: null,
        takenAtOffset: null,
        location: null,
        camera: null,
        lens: null,
        damaged: null,
        madeBy: null,
      },
    );
    assert.match(photo.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(photo.url, /^\/files\/photos\//);
    assert.match(photo.previewUrl, /^\/files\/previews\//);
    assert.match(photo.thumbhash, /^[A-Za-z0-9+/]{20,40}={0,2}$/);
    const expiry = Date.parse(photo.urlExpiresAt) / 1000;
    for (const url of [photo.url, photo.previewUrl])
      assert.equal(/[?&]exp=(\d+)/.exec(url)?.[1], String(expiry));
  });

  it("are null or empty for others; an admin reads any photo but lists only own ones", async () => {
    const id = await uploaded(owner);
    const [other, admin] = await Promise.all([service.person(), service.admin()]);
    assert.equal((await other.get(PHOTO, { id })).photo, null);
    assert.deepEqual((await other.get("{ photos { nodes { id } } }")).photos.nodes, []);
    assert.equal((await owner.get(PHOTO, { id: idOfNothing() })).photo, null);
    assert.equal((await admin.get(PHOTO, { id })).photo.id, id);
    assert.deepEqual((await admin.get("{ photos { nodes { id } } }")).photos.nodes, []);
  });

  it("refuse an invalid id", async () => {
    for (const id of BROKEN_IDS) {
      for (const operation of [PHOTO, DELETE])
        assertRefused(
          (await owner.ask(operation, { id })).errors,
          "BAD_USER_INPUT",
          "id: is not an id: ids are UUIDs",
          ["id"],
        );
    }
  });

  it("list the QueuedJobs that use a photo, newest first", async () => {
    const [one, another] = [await uploaded(owner), await uploaded(owner)];
    const first = await owner.enqueue("metadata", {}, { photoIds: [one] });
    const second = await owner.enqueue("placeholder", {}, { photoIds: [one] });
    await owner.enqueue("metadata", {}, { photoIds: [another] });
    const list = "query ($id: ID!) { photo(id: $id) { queuedJobs { nodes { id } totalCount } } }";
    const expected = { nodes: [{ id: second.id }, { id: first.id }], totalCount: 2 };
    assert.deepEqual((await owner.get(list, { id: one })).photo.queuedJobs, expected);
    assert.deepEqual(
      (await (await service.admin()).get(list, { id: one })).photo.queuedJobs,
      expected,
    );
  });

  it("deletePhoto deletes the photo with its files, and frees its storage", async () => {
    const person = await service.person();
    const { json } = await person.upload(smallPhoto(), { type: "image/png" });
    assert.deepEqual(await person.get(DELETE, { id: String(json["id"]).toUpperCase() }), {
      deletePhoto: json["id"],
    });
    assert.equal((await person.get(PHOTO, { id: json["id"] })).photo, null);
    for (const url of [json["url"], json["previewUrl"]])
      assert.equal((await fetch(new URL(String(url), service.url))).status, 404);
    assert.equal((await person.get("{ me { limits { storedBytes } } }")).me.limits.storedBytes, 0);
    assertRefused(
      (await person.ask(DELETE, { id: json["id"] })).errors,
      "NOT_FOUND",
      "There is no such Photo.",
    );
  });

  it("deletePhoto refuses while unfinished QueuedJobs use it", async () => {
    const id = await uploaded(owner);
    const job = await owner.enqueue("metadata", {}, { photoIds: [id] });
    assertRefused(
      (await owner.ask(DELETE, { id })).errors,
      "CONFLICT",
      "Unfinished QueuedJobs use this photo: cancel them, or wait until they have finished.",
    );
    await owner.get("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", { id: job.id });
    assert.deepEqual(await owner.get(DELETE, { id }), { deletePhoto: id });
    assert.deepEqual(
      (await owner.get("query ($id: ID!) { queuedJob(id: $id) { photos { id } } }", { id: job.id }))
        .queuedJob.photos,
      [],
    );
  });

  it("deletePhoto returns NOT_FOUND for another user's photo, also to admins", async () => {
    const id = await uploaded(owner);
    for (const person of [await service.person(), await service.admin()])
      assertRefused(
        (await person.ask(DELETE, { id })).errors,
        "NOT_FOUND",
        "There is no such Photo.",
      );
    assertRefused(
      (await owner.ask(DELETE, { id: idOfNothing() })).errors,
      "NOT_FOUND",
      "There is no such Photo.",
    );
    assert.equal((await owner.get(PHOTO, { id })).photo.id, id);
  });
});
