// Tests the stream of photos beside the stream of QueuedJobs: two streams in one numbering.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import type { EventLog } from "../../../src/events/event-log.js";
import { createPhotos, type Photos } from "../../../src/services/photos/photos.js";
import type { User } from "../../../src/services/users/users.js";
import { received } from "../../support/asserts/received.js";
import { createTestReader, type TestReader } from "../../support/clients/test-reader.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestCore, type TestCore } from "../../support/service/test-core.js";

describe("the stream of photos", () => {
  let core: TestCore;
  let photos: Photos;
  let reader: TestReader;
  let epoch: string;
  let reads = 0;
  const counted = (eventLog: EventLog): EventLog => ({
    ...eventLog,
    read: (query) => (reads++, eventLog.read(query)),
    readPhotos: (query) => (reads++, eventLog.readPhotos(query)),
  });
  before(async () => {
    core = await createTestCore();
    photos = createPhotos({
      database: core.database,
      bus: {
        publish: (userId, events) =>
          void (core.losesNotifications || core.bus.publish(userId, events)),
      },
      deleteFiles: async () => {},
      maxStoredBytes: 1e9,
      maxRecordedBytes: 1e9,
      log: silentLog,
    });
    reader = await createTestReader(core, { wrap: counted });
    epoch = await core.eventLog.epoch();
  });
  after(async () => {
    await reader.close();
    await core.close();
  });

  async function add({ id: userId }: User): Promise<string> {
    const id = uuidv7();
    const key = { storageKey: `k/${id}`, previewKey: null, thumbhash: null, phash: null };
    const file = { filename: "a.jpg", mimeType: "image/jpeg", width: 4, height: 3, byteSize: 1 };
    await photos.add({ id, userId, sha256: id, ...file, ...key });
    return id;
  }
  async function open(user: User, seq: number | null = null) {
    const position = seq === null ? null : { epoch, seq };
    return received(await reader.feed.openPhotos({ userId: user.id, after: position }));
  }
  const jobs = async (user: User, seq: number | null = null) =>
    received(await reader.open(user.id, { after: seq === null ? null : { epoch, seq } }));

  it("and that of QueuedJobs each skip the events of the other, without a query", async () => {
    const user = await core.newUser();
    const [ofPhotos, ofJobs] = [await open(user), await jobs(user)];
    reads = 0;
    const id = await add(user);
    await core.finish(user);
    await photos.remove(user.id, id);
    await core.finish(user);
    await Promise.all([ofPhotos.count(2), ofJobs.count(6)]);
    assert.deepEqual(ofPhotos.story, ["ADDED 1", "DELETED 5"]);
    assert.deepEqual(ofJobs.story, [
      "QUEUED 2",
      "STARTED 3",
      "SUCCEEDED 4",
      "QUEUED 6",
      "STARTED 7",
      "SUCCEEDED 8",
    ]);
    assert.equal(reads, 0);
  });

  it("resumes from any position of either stream", async () => {
    const user = await core.newUser();
    await add(user);
    await core.finish(user);
    await add(user);
    for (const [seq, expected] of [
      [0, ["ADDED 1", "ADDED 5"]],
      [1, ["ADDED 5"]],
      [3, ["ADDED 5"]],
      [5, []],
    ] as const) {
      const stream = await open(user, seq);
      await stream.count(expected.length);
      assert.deepEqual(stream.story, expected);
    }
    const ofJobs = await jobs(user, 1);
    await ofJobs.count(3);
    assert.deepEqual(ofJobs.story, ["QUEUED 2", "STARTED 3", "SUCCEEDED 4"]);
  });

  it("loses nothing when notifications of either stream are lost", async () => {
    const user = await core.newUser();
    const [ofPhotos, ofJobs] = [await open(user), await jobs(user)];
    core.losesNotifications = true;
    await core.finish(user);
    await add(user);
    core.losesNotifications = false;
    await add(user);
    await core.finish(user);
    await Promise.all([ofPhotos.count(2), ofJobs.count(6)]);
    assert.deepEqual(ofPhotos.story, ["ADDED 4", "ADDED 5"]);
    assert.equal(ofJobs.story.at(-1), "SUCCEEDED 8");
  });

  it("reads a long log of the other stream at once", async () => {
    const user = await core.newUser();
    await add(user);
    for (let i = 0; i < 5; i++) await core.submitMany(user, 100);
    await add(user);
    reads = 0;
    const stream = await open(user, 1);
    await stream.count(1);
    assert.deepEqual([stream.story, reads], [["ADDED 502"], 1]);
  });
});
