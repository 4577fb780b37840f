import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { noise } from "../../imaging/noise.js";
import { assertRefused } from "../../support/asserts/assert-refused.js";
import { BROKEN_IDS, idOfNothing } from "../../support/asserts/broken-ids.js";
import { PHOTO_FIELDS } from "../../support/clients/photo-fields.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const KEEP = `mutation ($id: ID!, $name: String!) {
  keepOutput(queuedJobId: $id, name: $name) { ${PHOTO_FIELDS} image(width: 64) } }`;
const MAX_STORED = 10 * 1024 ** 3;
const STORED = "{ me { limits { storedBytes } } }";

describe("keepOutput", () => {
  let service: TestService;
  let owner: TestClient;
  let job: string;
  let photoId: string;
  before(async () => {
    service = await startTestService();
    owner = await service.person();
    const bytes = await noise(300, 200).jpeg().toBuffer();
    photoId = String((await owner.upload(bytes)).json["id"]);
    job = await finish("thumbnail", { widths: [200, 100] });
  });
  after(() => service.close());

  async function finish(name: string, parameters: object = {}): Promise<string> {
    const { id } = await owner.enqueue(name, parameters, { photoIds: [photoId] });
    assert.equal((await owner.finished(id)).status, "SUCCESS");
    return id;
  }
  const keep = (id: string, name: string, person = owner) => person.ask(KEEP, { id, name });
  const storedBytes = async (): Promise<number> => (await owner.get(STORED)).me.limits.storedBytes;
  const fetchBytes = async (url: string) =>
    Buffer.from(await (await fetch(new URL(url, service.url))).arrayBuffer());

  it("copies a picture to the photos, which outlives its QueuedJob", async () => {
    const stored = await storedBytes();
    const { data, errors } = await keep(job, "200w.webp");
    assert.equal(errors, undefined);
    const { keepOutput: photo } = data;
    const bytes = await fetchBytes(photo.url);
    assert.deepEqual(
      [photo.filename, photo.mimeType, photo.width, photo.height, photo.byteSize, photo.madeBy],
      ["200w.webp", "image/webp", 200, 133, bytes.length, job],
    );
    assert.equal(photo.sha256, createHash("sha256").update(bytes).digest("hex"));
    assert.ok(photo.thumbhash && photo.previewUrl);
    assert.equal(await storedBytes(), stored + bytes.length);
    const { database } = service;
    const [row] = await database.sql`select phash from photos where id = ${photo.id}`;
    assert.ok(row?.["phash"]);
    const events = await database.sql`select type, snapshot ->> 'madeBy' as "madeBy"
      from photo_events where photo_id = ${photo.id}`;
    assert.deepEqual([...events], [{ type: "ADDED", madeBy: job }]);

    const doomed = await finish("thumbnail", { widths: [150] });
    const kept = (await keep(doomed, "150w.webp")).data.keepOutput;
    await owner.get("mutation ($id: ID!) { deleteQueuedJob(id: $id) }", { id: doomed });
    assert.equal((await sharp(await fetchBytes(kept.url)).metadata()).width, 150);
    assert.equal((await sharp(await fetchBytes(kept.image)).metadata()).width, 64);
    const { photo: later } = await owner.get(`query ($id: ID!) { photo(id: $id) { madeBy } }`, {
      id: kept.id,
    });
    assert.equal(later.madeBy, doomed);
  });

  it("gives the same Photo for the same bytes, with its madeBy as it was", async () => {
    const [first, second] = await Promise.all([keep(job, "100w.webp"), keep(job, "100w.webp")]);
    assert.equal(first.data.keepOutput.id, second.data.keepOutput.id);
    const again = await finish("thumbnail", { widths: [200, 100] });
    const stored = await storedBytes();
    const third = (await keep(again, "100w.webp")).data.keepOutput;
    assert.deepEqual([third.id, third.madeBy], [first.data.keepOutput.id, job]);
    assert.equal(await storedBytes(), stored);
  });

  it("refuses an unknown output, another user's, and that of an unfinished job", async () => {
    const other = await service.person();
    const waiting = await owner.enqueue(
      "metadata",
      {},
      {
        photoIds: [photoId],
        runAt: new Date(Date.now() + 3_600_000).toISOString(),
      },
    );
    for (const [id, name, person] of [
      [job, "201w.webp", owner],
      [job, "\ud800", owner],
      [job, "200w.webp", other],
      [job, "200w.webp", await service.admin()],
      [idOfNothing(), "200w.webp", owner],
      [waiting.id, "200w.webp", owner],
    ] as const)
      assertRefused((await keep(id, name, person)).errors, "NOT_FOUND", "There is no such output.");
  });

  it("refuses a malformed id, an empty name, and an output that is not a picture", async () => {
    for (const id of BROKEN_IDS)
      assertRefused(
        (await keep(id, "200w.webp")).errors,
        "BAD_USER_INPUT",
        "queuedJobId: is not an id: ids are UUIDs",
        ["queuedJobId"],
      );
    assertRefused((await keep(job, "")).errors, "BAD_USER_INPUT", "name: is empty", ["name"]);
    const archive = await finish("archive");
    assertRefused(
      (await keep(archive, "photos.zip")).errors,
      "BAD_USER_INPUT",
      "name: is not a picture that can be kept as a photo. It is application/zip.",
      ["name"],
    );
  });

  it("refuses what exceeds the quota, and leaves no file behind", async () => {
    const { database } = service;
    const me = (await owner.get("{ me { id } }")).me.id;
    const more = await finish("thumbnail", { widths: [90] });
    const addStored = (bytes: number) => database.sql`
      update user_streams set stored_bytes = stored_bytes + ${bytes} where user_id = ${me}`;
    await addStored(MAX_STORED);
    assert.equal((await keep(more, "90w.webp")).code, "QUOTA_EXCEEDED");
    await addStored(-MAX_STORED);
    assert.equal((await keep(more, "90w.webp")).errors, undefined);
  });
});
