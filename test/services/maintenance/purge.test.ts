import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { createLocalStorage } from "../../src/photos/local-storage.js";
import type { Storage } from "../../src/photos/storage.js";
import { createCleanUp } from "../../src/services/clean-up.js";
import type { CleanUp } from "../../src/services/clean-up.js";
import { createEventLog } from "../../src/services/event-log.js";
import type { User } from "../../src/services/users.js";
import { silentLog } from "../support/silent-log.js";
import { createTestWaist } from "../support/test-waist.js";
import type { TestWaist } from "../support/test-waist.js";

const EVENT_TTL_SECONDS = 100.5;

describe("clean-up", () => {
  let waist: TestWaist;
  let folder: string;
  let storage: Storage;
  let cleanUp: CleanUp;
  let user: User;
  before(async () => {
    waist = await createTestWaist();
    folder = await mkdtemp(join(tmpdir(), "photo-clean-up-"));
    storage = await createLocalStorage(folder);
    cleanUp = createCleanUp({ database: waist.database, queuedJobs: waist.queuedJobs, storage, eventTtlSeconds: EVENT_TTL_SECONDS, log: silentLog });
  });
  beforeEach(async () => {
    await waist.database.sql`delete from users`;
    user = await waist.newUser();
  });
  after(async () => {
    await waist.close();
    await rm(folder, { recursive: true });
  });

  /** The user's events up to a number are older than they are kept. */
  const age = (upTo: number) => waist.database.sql`update queued_job_events set at = now() - interval '101 seconds' where user_id = ${user.id} and seq <= ${upTo}`;
  const log = () => createEventLog(waist.database).read({ userId: user.id, seq: 0, limit: 5000, queuedJobId: null });

  describe("of events", () => {
    it("takes the old ones from the front, and says up to where", async () => {
      await waist.submitMany(user, [{}, {}, {}, {}, {}]);
      await age(3);
      assert.deepEqual(await cleanUp.purge(), { queuedJobs: 0, events: 3 });
      const { events, floor, last } = await log();
      assert.deepEqual([events.map(({ seq }) => seq), floor, last], [[4, 5], 3, 5]);
      assert.deepEqual(await cleanUp.purge(), { queuedJobs: 0, events: 0 });
    });

    it("takes nothing that is kept still", async () => {
      await waist.submitMany(user, [{}, {}]);
      await waist.database.sql`update queued_job_events set at = now() - interval '60 seconds' where user_id = ${user.id}`;
      assert.deepEqual(await cleanUp.purge(), { queuedJobs: 0, events: 0 });
      assert.equal((await log()).floor, 0);
    });

    it("goes on until all old ones of a user with thousands are gone", async () => {
      await waist.database.sql`insert into queued_job_events select ${user.id}, i, ${user.id}, 'QUEUED', now(), '{}' from generate_series(1, 2400) i`;
      await waist.database.sql`update user_streams set last_seq = 2400 where user_id = ${user.id}`;
      await age(2350);
      assert.deepEqual(await cleanUp.purge(), { queuedJobs: 0, events: 2350 });
      assert.deepEqual([(await log()).events.length, (await log()).floor], [50, 2350]);
    });

    it("leaves the QueuedJobs themselves, whose story then goes on", async () => {
      const { id } = await waist.submit(user);
      await age(1);
      await cleanUp.purge();
      await waist.queuedJobs.cancel(user, id);
      const { events, floor } = await log();
      assert.deepEqual([events.map(({ seq, type }) => [seq, type]), floor], [[[2, "CANCELLED"]], 1]);
    });
  });

  it("of QueuedJobs deletes what has been kept for its time, as its owner would", async () => {
    const [old, kept] = [await waist.finished(user), await waist.finished(user)];
    await waist.database.sql`update queued_jobs set expires_at = now() - interval '1 second' where id = ${old.id}`;
    assert.deepEqual(await cleanUp.purge(), { queuedJobs: 1, events: 0 });
    assert.deepEqual([await waist.queuedJobs.find(user, old.id), (await waist.queuedJobs.find(user, kept.id))?.id], [null, kept.id]);
    assert.equal(waist.rung.at(-1)?.type, "DELETED");
  });

  describe("of files", () => {
    async function put(key: string, ageMinutes: number): Promise<void> {
      const path = join(storage.scratchFolder, "in");
      await writeFile(path, key);
      await storage.put(key, path);
      const then = new Date(Date.now() - ageMinutes * 60_000);
      await utimes((await storage.localPath(key, folder)) ?? assert.fail(), then, then);
    }

    it("takes those that no row names and that are older than an hour, and no other, nor what was never its own", async () => {
      const claimed = await waist.start(await waist.submit(user));
      const [named, preview, output] = [`photos/${user.id}/${claimed.id}`, `previews/${user.id}/${claimed.id}`, `outputs/${claimed.id}/1/a`];
      await waist.newPhoto(user, { id: claimed.id, storageKey: named, previewKey: preview });
      await waist.queuedJobs.succeed(claimed, null, [{ name: "a", mimeType: "text/plain", byteSize: 1, width: null, height: null, storageKey: output }]);
      const [orphan, zombie, young] = [`photos/${user.id}/${user.id}`, `outputs/${claimed.id}/2/a`, `photos/${user.id}/0198f3a0-0000-7000-8000-00000000000a`];
      for (const key of [named, preview, output, orphan, zombie, "stray"]) await put(key, 61);
      await put(young, 59);
      assert.equal(await cleanUp.sweepFiles(), 2);
      const left = await Promise.all([named, preview, output, young, orphan, zombie, "stray"].map((key) => storage.has(key)));
      assert.deepEqual(left, [true, true, true, true, false, false, true]);
      assert.equal(await cleanUp.sweepFiles(), 0);
    });

    it("takes what a killed process left half-way in, a file or an attempt's folder, and nothing that is under way", async () => {
      const then = new Date(Date.now() - 61 * 60_000);
      for (const name of ["upload-left", "upload"]) await writeFile(join(storage.scratchFolder, name), name);
      for (const name of ["attempt-left", "attempt"]) await mkdir(join(storage.scratchFolder, name));
      await writeFile(join(storage.scratchFolder, "attempt-left", "64w.webp"), "half");
      for (const name of ["upload-left", "attempt-left"]) await utimes(join(storage.scratchFolder, name), then, then);
      await cleanUp.sweepFiles();
      assert.deepEqual((await readdir(storage.scratchFolder)).toSorted(), ["attempt", "upload"]);
    });
  });

  it("of counters sets those right that are off, and no other", async () => {
    await waist.newPhoto(user, { byteSize: 10 });
    const claimed = await waist.start(await waist.submit(user));
    await waist.queuedJobs.succeed(claimed, null, [{ name: "a", mimeType: "text/plain", byteSize: 5, width: null, height: null, storageKey: "k" }]);
    await waist.submitMany(user, [{}, {}]);
    assert.equal(await cleanUp.recount(), 0);
    for (const off of [{ pending: 9 }, { stored_bytes: 0 }, { pending: 0, stored_bytes: 99 }]) {
      await waist.database.sql`update user_streams set ${waist.database.sql(off)} where user_id = ${user.id}`;
      assert.equal(await cleanUp.recount(), 1, JSON.stringify(off));
      assert.deepEqual(await waist.users.counters(user.id), { pending: 2, storedBytes: 15 });
    }
  });
});
