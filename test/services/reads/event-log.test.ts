import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import type { EventLog } from "../../../src/events/event-log.js";
import type { QueuedJobEvent } from "../../../src/domain/queued-job.js";
import { createEventLog } from "../../../src/services/reads/event-log.js";
import type { User } from "../../../src/services/users/users.js";
import { desynchronised } from "../../support/stores/desynchronised.js";
import { refusalOf } from "../../support/asserts/refusal-of.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

describe("the event log", () => {
  let services: TestServices;
  let log: EventLog;
  let user: User;
  before(async () => {
    services = await createTestServices();
    log = createEventLog(services.database);
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(() => services.close());
  const publishedTo = ({ id }: User) =>
    services.published.filter(
      ({ type, queuedJob }) => queuedJob.userId === id && type !== "PROGRESS",
    );
  const read = (more: Partial<Parameters<EventLog["read"]>[0]> = {}) =>
    log.read({ userId: user.id, seq: 0, limit: 100, queuedJobId: null, ...more });
  const seqs = (events: QueuedJobEvent[]) => events.map(({ seq }) => seq);
  /** Deletes events as the purge does after EVENT_TTL. */
  const purge = (upTo: number) => services.database.sql`
    with gone as (delete from queued_job_events where user_id = ${user.id}
      and seq <= ${upTo}) update user_streams set floor_seq = ${upTo} where user_id = ${user.id}`;

  describe("read", () => {
    it("returns exactly the events that were published, in order", async () => {
      await services.finished(user);
      await services.submit(user);
      assert.deepEqual(await read(), { events: publishedTo(user), whole: true, last: 4, floor: 0 });
    });

    it("returns the events after a number, up to the limit", async () => {
      await services.submitMany(user, [{}, {}, {}, {}]);
      assert.deepEqual(
        [
          seqs((await read({ seq: 1 })).events),
          seqs((await read({ seq: 1, limit: 2 })).events),
          (await read({ seq: 1, limit: 2 })).last,
        ],
        [[2, 3, 4], [2, 3], 4],
      );
      assert.deepEqual(await read({ seq: 4 }), { events: [], whole: true, last: 4, floor: 0 });
      assert.deepEqual(await read({ seq: 99 }), { events: [], whole: true, last: 4, floor: 0 });
    });

    it("returns at most 256 kB plus one event, and whether more events exist", async () => {
      await services.submitMany(
        user,
        Array.from({ length: 8 }, () => ({})),
      );
      await services.database
        .sql`update queued_job_events set bytes = 60000 where user_id = ${user.id}`;
      const [first, second, third] = [
        await read(),
        await read({ seq: 5 }),
        await read({ limit: 5 }),
      ];
      assert.deepEqual([seqs(first.events), first.whole], [[1, 2, 3, 4, 5], false]);
      assert.deepEqual([seqs(second.events), second.whole], [[6, 7, 8], true]);
      assert.deepEqual([seqs(third.events), third.whole], [[1, 2, 3, 4, 5], false]);
      await services.database
        .sql`update queued_job_events set bytes = 300000 where user_id = ${user.id}`;
      assert.deepEqual(seqs((await read()).events), [1]);
    });

    it("returns the events of one QueuedJob", async () => {
      const [a, b] = [await services.submit(user), await services.submit(user)];
      await services.queuedJobs.cancel(user, a.id);
      assert.deepEqual(
        [
          seqs((await read({ queuedJobId: a.id })).events),
          seqs((await read({ queuedJobId: b.id })).events),
          (await read({ queuedJobId: b.id })).last,
        ],
        [[1, 3], [2], 3],
      );
    });

    it("returns nothing of another user, not even for an existing QueuedJob", async () => {
      const { id } = await services.submit(user);
      const other = await services.newUser();
      assert.deepEqual(await read({ userId: other.id, queuedJobId: id }), {
        events: [],
        whole: true,
        last: 0,
        floor: 0,
      });
    });

    it("returns zero as all numbers for a deleted user", async () => {
      assert.deepEqual(await read({ userId: uuidv7() }), {
        events: [],
        whole: true,
        last: 0,
        floor: 0,
      });
    });

    it("returns no rows of another user or of another statement", async () => {
      const other = await services.newUser();
      await services.submitMany(other, [{}, {}]);
      await services.submit(user);
      for (const to of [other.id, uuidv7(), null]) {
        const { database, foreign } = desynchronised(services.database, { from: user.id, to });
        const reading = createEventLog(database).read({
          userId: user.id,
          seq: 0,
          limit: 100,
          queuedJobId: null,
        });
        assert.deepEqual(await refusalOf(reading), {
          code: "SERVICE_UNAVAILABLE",
          message: "The database returned a wrong answer; try again in a moment.",
        });
        assert.equal(foreign.length, 1);
      }
      assert.deepEqual(seqs((await read()).events), [1]);
    });

    it("returns the floor of the purge, and continues after the gaps of a deletion", async () => {
      const [a] = await services.submitMany(user, [{}, {}, {}]);
      await purge(1);
      await services.queuedJobs.cancel(user, a?.id ?? "");
      await services.queuedJobs.remove(user, a?.id ?? "");
      const page = await read();
      assert.deepEqual([seqs(page.events), page.last, page.floor], [[2, 3, 5], 5, 1]);
      assert.equal(page.events.at(-1)?.type, "DELETED");
    });

    it("returns a history without gaps while 120 events are being written", async () => {
      const writing = Promise.all(
        Array.from({ length: 60 }, async () =>
          services.queuedJobs.cancel(user, (await services.submit(user)).id),
        ),
      );
      const seen: number[] = [];
      while (seen.length < 120) {
        const { events } = await read({ seq: seen.at(-1) ?? 0, limit: 20 });
        seen.push(...seqs(events));
      }
      await writing;
      assert.deepEqual(
        seen,
        Array.from({ length: 120 }, (_, i) => i + 1),
      );
    });
  });

  it("returns the newest number of each requested user", async () => {
    const other = await services.newUser();
    await services.submitMany(user, [{}, {}]);
    const epoch = await log.epoch();
    assert.deepEqual(await log.heads([user.id, other.id, uuidv7()]), {
      epoch,
      heads: new Map([
        [user.id, 2],
        [other.id, 0],
      ]),
    });
    assert.deepEqual(await log.heads([]), { epoch, heads: new Map() });
  });

  describe("the epoch", () => {
    it("is 8 bytes in hex, equal for all readers of this database", async () => {
      const epoch = await log.epoch();
      assert.match(epoch, /^[0-9a-f]{16}$/);
      assert.deepEqual(
        [await log.epoch(), await createEventLog(services.database).epoch()],
        [epoch, epoch],
      );
    });

    it("differs in a database of another history", async () => {
      const before_ = await log.epoch();
      await services.database.sql`update histories set id = gen_random_uuid()`;
      assert.notEqual(await createEventLog(services.database).epoch(), before_);
    });

    it("is read again after a failure", async () => {
      const fresh = createEventLog(services.database);
      await services.database.sql`alter table histories rename to hidden`;
      await assert.rejects(fresh.epoch());
      await services.database.sql`alter table hidden rename to histories`;
      assert.match(await fresh.epoch(), /^[0-9a-f]{16}$/);
    });
  });
});
