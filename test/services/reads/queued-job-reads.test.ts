import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import {
  createQueuedJobReads,
  type QueuedJobReads,
} from "../../../src/services/reads/queued-job-reads.js";
import type { User } from "../../../src/services/users/users.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

describe("reading QueuedJobs", () => {
  let services: TestServices;
  let reads: QueuedJobReads;
  let user: User;
  before(async () => {
    services = await createTestServices();
    reads = createQueuedJobReads(services.database);
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(() => services.close());

  it("returns the newest hundred events, and only types and times if asked", async () => {
    const { id } = await services.submit(user);
    for (let i = 0; i < 60; i++) {
      await services.queuedJobs.cancel(user, id);
      await services.queuedJobs.retry(user, id);
    }
    const events = services.published.filter(({ queuedJob }) => queuedJob.id === id);
    assert.deepEqual(await reads.histories([id]), [events.slice(-100)]);
    assert.deepEqual(await reads.histories([id], { snapshots: false }), [
      events.slice(-100).map(({ queuedJob: _, ...event }) => event),
    ]);
  });

  it("ends histories with the event that exceeds the budget, and reports sizes", async () => {
    const [{ id: first }, { id: second }] = [
      await services.finished(user, { parameters: { message: "x".repeat(1000) } }),
      await services.finished(user),
    ];
    const read: [rows: number, bytes: number][] = [];
    const budget = {
      rowsLeft: 10,
      bytesLeft: 10_000,
      takeRead: (rows: number, bytes: number) => void read.push([rows, bytes]),
    };
    const typesOf = async (more: Partial<typeof budget>) =>
      (
        await reads.histories([first, second], {
          snapshots: true,
          budget: { ...budget, ...more },
        })
      ).map((events) => events.map(({ type }) => type));
    assert.deepEqual(await typesOf({}), [
      ["QUEUED", "STARTED", "SUCCEEDED"],
      ["QUEUED", "STARTED", "SUCCEEDED"],
    ]);
    assert.deepEqual(await typesOf({ rowsLeft: 3 }), [
      ["QUEUED", "STARTED", "SUCCEEDED"],
      ["SUCCEEDED"],
    ]);
    assert.deepEqual(await typesOf({ bytesLeft: 2000 }), [["STARTED", "SUCCEEDED"], []]);
    assert.deepEqual(
      read.map(([rows]) => rows),
      [6, 4, 2],
    );
    assert.ok((read[2]?.[1] ?? 0) > 2000);
  });

  it("returns the history of each QueuedJob, oldest first, as published", async () => {
    const ids = [(await services.submit(user)).id, uuidv7(), (await services.finished(user)).id];
    await services.submit(user);
    assert.deepEqual(
      await reads.histories(ids),
      ids.map((id) => services.published.filter(({ queuedJob }) => queuedJob.id === id)),
    );
  });

  describe("for many QueuedJobs", () => {
    it("returns values in the requested order, with nothing for those that have none", async () => {
      const [a, b] = [await services.newPhoto(user), await services.newPhoto(user)];
      const withBoth = await services.start(
        await services.submit(user, { job: "album", photoIds: [b.id, a.id] }),
      );
      const output = (name: string) => ({
        name,
        mimeType: "text/plain",
        byteSize: 1,
        width: 1,
        height: null,
      });
      await services.queuedJobs.succeed(
        withBoth,
        null,
        ["z", "a"].map((name) => ({ ...output(name), storageKey: `key of ${name}` })),
      );
      const plain = await services.submit(user);
      const ids = [plain.id, withBoth.id, uuidv7(), withBoth.id];
      assert.deepEqual(await reads.outputs(ids), [
        [],
        [output("z"), output("a")],
        [],
        [output("z"), output("a")],
      ]);
      assert.deepEqual(await reads.photoIds(ids), [[], [b.id, a.id], [], [b.id, a.id]]);
      assert.deepEqual(await reads.outputFile(withBoth.id, "a"), {
        storageKey: "key of a",
        mimeType: "text/plain",
        filename: "a",
      });
      assert.deepEqual(
        [await reads.outputFile(withBoth.id, "b"), await reads.outputFile(plain.id, "a")],
        [null, null],
      );
    });

    it("omits photos that were deleted", async () => {
      const [a, b] = [await services.newPhoto(user), await services.newPhoto(user)];
      const { id } = await services.submit(user, { job: "album", photoIds: [a.id, b.id] });
      await services.queuedJobs.cancel(user, id);
      await services.photos.remove(user.id, a.id);
      assert.deepEqual(await reads.photoIds([id]), [[b.id]]);
    });
  });
});
