// Tests the start of a stream, and its refusals.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import {
  CursorExpiredError,
  NotFoundError,
  ServiceUnavailableError,
} from "../../../src/domain/errors.js";
import type { User } from "../../../src/services/users/users.js";
import { createTestCore, type TestCore } from "../../support/service/test-core.js";
import { createTestReader, type TestReader } from "../../support/clients/test-reader.js";
import { received } from "../../support/asserts/received.js";

const isExpired = (error: unknown) =>
  error instanceof CursorExpiredError &&
  error.code === "CURSOR_EXPIRED" &&
  error.message ===
    "The stream cannot be resumed from this cursor: read the page again and continue " +
      "with its eventCursor.";
const isNotFound = (error: unknown) =>
  error instanceof NotFoundError &&
  error.code === "NOT_FOUND" &&
  error.message === "There is no such QueuedJob.";

describe("the start of a stream", () => {
  let core: TestCore;
  let reader: TestReader;
  let epoch: string;
  before(async () => {
    core = await createTestCore();
    reader = await createTestReader(core);
    epoch = await core.eventLog.epoch();
  });
  after(async () => {
    await reader.close();
    await core.close();
  });
  const purge = (user: User, floor: number) =>
    core.database.sql.begin(async (sql) => {
      await sql`delete from queued_job_events where user_id = ${user.id} and seq <= ${floor}`;
      await sql`update user_streams set floor_seq = ${floor} where user_id = ${user.id}`;
    });

  describe("of the whole feed", () => {
    it("is the current position if none is given", async () => {
      const user = await core.newUser();
      await core.finish(user);
      const stream = received(await reader.open(user.id));
      await core.finish(user);
      await stream.count(3);
      assert.deepEqual(stream.story, ["QUEUED 4", "STARTED 5", "SUCCEEDED 6"]);
    });

    it("is after the position, and at the beginning for 0", async () => {
      const user = await core.newUser();
      await core.finish(user);
      for (const [seq, expected] of [
        [0, ["QUEUED 1", "STARTED 2", "SUCCEEDED 3"]],
        [1, ["STARTED 2", "SUCCEEDED 3"]],
        [3, []],
      ] as const) {
        const subscription = await reader.open(user.id, { after: { epoch, seq } });
        const stream = received(subscription);
        await stream.count(expected.length);
        await subscription.return();
        assert.equal(await stream.ended(), "done");
        assert.deepEqual(stream.story, expected);
      }
    });

    it("contains no event of another user", async () => {
      const [ann, bob] = [await core.newUser(), await core.newUser()];
      const stream = received(await reader.open(ann.id, { after: { epoch, seq: 0 } }));
      await core.finish(bob);
      await core.submit(ann);
      await stream.count(1);
      assert.deepEqual(
        stream.events.map(({ event }) => event.queuedJob.userId),
        [ann.id],
      );
    });
  });

  describe("of one QueuedJob", () => {
    it("is its last event with its current state, at any position of the others", async () => {
      const user = await core.newUser();
      const queuedJob = await core.submit(user);
      const claimed = await core.start(queuedJob);
      await core.submit(user);
      await core.queuedJobs.progress(claimed, 0.5, "half");
      const stream = received(await reader.open(user.id, { queuedJobId: queuedJob.id }));
      await stream.count(1);
      assert.deepEqual(
        [
          stream.story,
          stream.events[0]?.event.queuedJob.progress,
          stream.events[0]?.event.queuedJob.progressMessage,
        ],
        [["STARTED 2"], 0.5, "half"],
      );
      await core.queuedJobs.succeed(claimed, { a: 1 }, []);
      assert.equal(await stream.ended(), "done");
      assert.deepEqual(
        [stream.story, stream.events[1]?.event.queuedJob.result],
        [["STARTED 2", "SUCCEEDED 4"], { a: 1 }],
      );
    });

    it("is also its end if it has finished already", async () => {
      const user = await core.newUser();
      const { id } = await core.finish(user, "the result");
      const stream = received(await reader.open(user.id, { queuedJobId: id }));
      assert.equal(await stream.ended(), "done");
      assert.deepEqual(
        [stream.story, stream.events[0]?.event.queuedJob.result],
        [["SUCCEEDED 3"], "the result"],
      );
    });

    it("is after the position, and ends with the first terminal event", async () => {
      const user = await core.newUser();
      const first = await core.submit(user);
      const second = await core.finish(user);
      await core.queuedJobs.cancel(user, first.id);
      await core.queuedJobs.retry(user, first.id);
      const whole = received(
        await reader.open(user.id, { queuedJobId: first.id, after: { epoch, seq: 0 } }),
      );
      assert.equal(await whole.ended(), "done");
      assert.deepEqual(whole.story, ["QUEUED 1", "CANCELLED 5"]);
      const rest = received(
        await reader.open(user.id, { queuedJobId: second.id, after: { epoch, seq: 3 } }),
      );
      assert.equal(await rest.ended(), "done");
      assert.deepEqual(rest.story, ["SUCCEEDED 4"]);
    });

    it("is the end, without an event, if it finished before the position", async () => {
      const user = await core.newUser();
      const { id } = await core.finish(user);
      await core.submit(user);
      for (const seq of [3, 4]) {
        const stream = received(
          await reader.open(user.id, { queuedJobId: id, after: { epoch, seq } }),
        );
        assert.equal(await stream.ended(), "done");
        assert.deepEqual(stream.story, []);
      }
    });

    it("waits if it is unfinished and no event follows the position", async () => {
      const user = await core.newUser();
      const queuedJob = await core.submit(user);
      const stream = received(
        await reader.open(user.id, { queuedJobId: queuedJob.id, after: { epoch, seq: 1 } }),
      );
      await core.submit(user);
      await core.queuedJobs.cancel(user, queuedJob.id);
      assert.equal(await stream.ended(), "done");
      assert.deepEqual(stream.story, ["CANCELLED 3"]);
    });

    it("is an equivalent event made from the row if the last event was purged", async () => {
      const user = await core.newUser();
      const { id } = await core.submit(user);
      await core.submit(user);
      await purge(user, 1);
      const subscription = await reader.open(user.id, { queuedJobId: id });
      const stream = received(subscription);
      await stream.count(1);
      assert.deepEqual([stream.story, stream.events[0]?.event.queuedJob.id], [["QUEUED 2"], id]);
      await core.queuedJobs.cancel(user, id);
      assert.equal(await stream.ended(), "done");
      assert.deepEqual(stream.story, ["QUEUED 2", "CANCELLED 3"]);
    });

    it("is RETRYING if the purged event has an error", async () => {
      const user = await core.newUser();
      const queuedJob = await core.submit(user);
      await core.queuedJobs.fail(await core.start(queuedJob), {
        code: "TASK_FAILED",
        message: "No.",
        permanent: false,
      });
      await purge(user, 3);
      const subscription = await reader.open(user.id, { queuedJobId: queuedJob.id });
      assert.equal((await subscription.next()).value?.event.type, "RETRYING");
      await subscription.return();
    });

    it("is DELETED, and the end, for a QueuedJob deleted since the position", async () => {
      const user = await core.newUser();
      const { id } = await core.finish(user);
      await core.queuedJobs.remove(user, id);
      const stream = received(
        await reader.open(user.id, { queuedJobId: id, after: { epoch, seq: 2 } }),
      );
      assert.equal(await stream.ended(), "done");
      assert.deepEqual(
        [stream.story, stream.events[0]?.event.queuedJob.version],
        [["DELETED 4"], 4],
      );
    });
  });

  describe("is refused", () => {
    it("with NOT_FOUND if it is unknown, another user's, or already deleted", async () => {
      const [ann, bob] = [await core.newUser(), await core.newUser()];
      const hers = await core.finish(ann);
      await assert.rejects(reader.open(ann.id, { queuedJobId: uuidv7() }), isNotFound);
      await assert.rejects(
        reader.open(ann.id, { queuedJobId: uuidv7(), after: { epoch, seq: 1 } }),
        isNotFound,
      );
      await assert.rejects(reader.open(bob.id, { queuedJobId: hers.id }), isNotFound);
      await assert.rejects(
        reader.open(bob.id, { queuedJobId: hers.id, after: { epoch, seq: 0 } }),
        isNotFound,
      );
      await core.queuedJobs.remove(ann, hers.id);
      await assert.rejects(reader.open(ann.id, { queuedJobId: hers.id }), isNotFound);
      await assert.rejects(
        reader.open(ann.id, { queuedJobId: hers.id, after: { epoch, seq: 4 } }),
        isNotFound,
      );
    });

    it("with CURSOR_EXPIRED for a position below the floor, but not at it", async () => {
      const user = await core.newUser();
      const { id } = await core.finish(user);
      await purge(user, 2);
      for (const queuedJobId of [null, id]) {
        for (const seq of [0, 1])
          await assert.rejects(
            reader.open(user.id, { queuedJobId, after: { epoch, seq } }),
            isExpired,
          );
        const subscription = await reader.open(user.id, {
          queuedJobId,
          after: { epoch, seq: 2 },
        });
        assert.equal((await subscription.next()).value?.event.seq, 3);
        await subscription.return();
      }
    });

    it("with CURSOR_EXPIRED for a position of another history, or one never reached", async () => {
      const user = await core.newUser();
      const { id } = await core.finish(user);
      for (const queuedJobId of [null, id]) {
        await assert.rejects(
          reader.open(user.id, { queuedJobId, after: { epoch: "00".repeat(8), seq: 1 } }),
          isExpired,
        );
        await assert.rejects(
          reader.open(user.id, { queuedJobId, after: { epoch, seq: 4 } }),
          isExpired,
        );
      }
    });

    it("with SERVICE_UNAVAILABLE without PostgreSQL, and leaves no stream open", async () => {
      const user = await core.newUser();
      const subscribers = reader.feed.subscribers;
      reader.postgres.down();
      await assert.rejects(
        reader.open(user.id),
        (error) =>
          error instanceof ServiceUnavailableError &&
          error.message === "The database is unavailable; try again in a moment.",
      );
      reader.postgres.up();
      assert.equal(reader.feed.subscribers, subscribers);
    });
  });
});
