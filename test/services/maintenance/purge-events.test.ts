import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import postgres, { type Sql } from "postgres";
import { createDatabase } from "../../../src/db/database.js";
import { createEventLog } from "../../../src/services/reads/event-log.js";
import {
  createPurge,
  type Purge,
  type PurgeDeps,
} from "../../../src/services/maintenance/purge.js";
import type { User } from "../../../src/services/users/users.js";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { eventually } from "../../support/runner/eventually.js";
import { insertUsersWithEvents } from "../../support/service/many-users.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";
import { waitsForLock } from "../../support/stores/waits-for-lock.js";

const EVENT_TTL_SECONDS = 100.5;

describe("the purge", () => {
  let services: TestServices;
  let purge: Purge;
  let user: User;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    await services.database.sql`truncate users, queued_job_events cascade`;
    user = await services.newUser();
    purge = create();
  });
  after(() => services.close());

  const create = (more: Partial<PurgeDeps> = {}) =>
    createPurge({
      database: services.database,
      queuedJobs: services.queuedJobs,
      eventTtlSeconds: EVENT_TTL_SECONDS,
      log: silentLog,
      ...more,
    });
  /** Makes the user's events up to a number older than their time to live. */
  const age = (upTo: number, { id } = user) =>
    services.database
      .sql`update queued_job_events set at = now() - interval '101 seconds' where user_id = ${id}
        and seq <= ${upTo}`;
  const log = () =>
    createEventLog(services.database).read({
      userId: user.id,
      seq: 0,
      limit: 5000,
      queuedJobId: null,
    });
  const removed = async (one = purge) => {
    const { queuedJobs, events } = await one.run();
    return { queuedJobs, events };
  };
  const countEvents = async () =>
    Number((await services.database.sql`select count(*) as n from queued_job_events`)[0]?.["n"]);
  const forgetUsers = () => services.database.sql`delete from users where id <> ${user.id}`;

  describe("of events", () => {
    it("removes old events from the start, and records the floor", async () => {
      await services.submitMany(user, [{}, {}, {}, {}, {}]);
      await age(3);
      assert.deepEqual(await removed(), { queuedJobs: 0, events: 3 });
      const { events, floor, last } = await log();
      assert.deepEqual([events.map(({ seq }) => seq), floor, last], [[4, 5], 3, 5]);
      assert.deepEqual(await removed(), { queuedJobs: 0, events: 0 });
    });

    it("removes nothing that must be kept", async () => {
      await services.submitMany(user, [{}, {}]);
      await services.database.sql`update queued_job_events set at = now() - interval '60 seconds'
          where user_id = ${user.id}`;
      assert.deepEqual(await removed(), { queuedJobs: 0, events: 0 });
      assert.equal((await log()).floor, 0);
    });

    it("removes all old events of a user with thousands, beside 30 users with few", async () => {
      await insertUsersWithEvents(services.database.sql, {
        users: 30,
        events: 3,
        at: "now() - interval '101 seconds'",
      });
      await services.database
        .sql`insert into queued_job_events select ${user.id}, i, ${user.id}, 'QUEUED', now(), '{}'
            from generate_series(1, 5400) i`;
      await services.database
        .sql`update user_streams set last_seq = 5400 where user_id = ${user.id}`;
      await age(5350);
      assert.deepEqual(await removed(), { queuedJobs: 0, events: 5440 });
      assert.deepEqual([(await log()).events.length, (await log()).floor], [50, 5350]);
    });

    it("keeps the QueuedJobs, whose history continues", async () => {
      const { id } = await services.submit(user);
      await age(1);
      await purge.run();
      await services.queuedJobs.cancel(user, id);
      const { events, floor } = await log();
      assert.deepEqual(
        [events.map(({ seq, type }) => [seq, type]), floor],
        [[[2, "CANCELLED"]], 1],
      );
    });

    it("returns the bytes of removed events to the user, in the same statement", async () => {
      await services.submitMany(user, [{}, {}, {}]);
      await services.database
        .sql`update queued_job_events set bytes = 10 * seq where user_id = ${user.id}`;
      await services.database
        .sql`update user_streams set recorded_bytes = 1060 where user_id = ${user.id}`;
      await age(2);
      await purge.run();
      const [row] = await services.database
        .sql`select recorded_bytes::int as bytes, floor_seq::int as floor from user_streams
          where user_id = ${user.id}`;
      assert.deepEqual([row?.["bytes"], row?.["floor"]], [1030, 2]);
    });

    it("ends with all that were old at its start removed, although more expire", async () => {
      // For eight seconds, one event of 300 users expires every five milliseconds.
      await insertUsersWithEvents(services.database.sql, {
        users: 300,
        events: 6,
        at:
          "clock_timestamp() - interval '101 seconds' + interval '8 seconds' * case when i " +
          "= 1 then 0 else random() end",
      });
      const startedAt = performance.now();
      const { events } = await purge.run();
      assert.ok(
        performance.now() - startedAt < 5000,
        `it took ${performance.now() - startedAt} ms`,
      );
      assert.ok(events >= 300, `${events} were taken`);
      assert.ok((await countEvents()) > 0, "all had expired, so the test proves nothing");
      await forgetUsers();
    });

    it("ends after its time, and the next run continues with the next users", async () => {
      await insertUsersWithEvents(services.database.sql, {
        users: 1500,
        events: 1,
        at: "now() - interval '101 seconds'",
      });
      const short = create({ runMs: 50 });
      const sizes = [];
      for (let runs = 0; runs < 200 && (await countEvents()) > 0; runs++)
        sizes.push((await short.run()).events);
      assert.equal(await countEvents(), 0);
      assert.ok(sizes.length > 2 && sizes.every((size) => size < 1500), String(sizes));
      await forgetUsers();
    });

    it("skips a locked counter at first, and returns to that user in the same run", async () => {
      await services.submitMany(user, [{}, {}]);
      await age(2);
      await insertUsersWithEvents(services.database.sql, {
        users: 25,
        events: 2,
        at: "now() - interval '101 seconds'",
      });
      const other = postgres(services.url, { max: 1 });
      await other`begin`;
      await other`select from user_streams where user_id = ${user.id} for update`;
      const running = purge.run();
      await eventually("the other users come first", async () => (await countEvents()) === 2);
      assert.equal((await log()).events.length, 2);
      // A counter that is locked at every check would otherwise never be purged.
      await waitsForLock(services.database.sql);
      await other`commit`;
      assert.equal((await running).events, 52);
      await other.end();
      await forgetUsers();
    });

    it("by two concurrent workers removes each event once, and neither waits", async () => {
      await insertUsersWithEvents(services.database.sql, {
        users: 60,
        events: 100,
        at: "now() - interval '101 seconds'",
      });
      const second = createDatabase({ url: services.url, connections: 2, applicationName: "test" });
      const both = await Promise.all([purge.run(), create({ database: second }).run()]);
      await second.close();
      assert.equal(both[0].events + both[1].events, 6000);
      assert.equal(await countEvents(), 0);
      const [row] = await services.database
        .sql`select count(*)::int as n from user_streams where recorded_bytes <> 0
          or (user_id <> ${user.id} and floor_seq <> 100)`;
      assert.equal(row?.["n"], 0);
      await forgetUsers();
    });

    it("leaves none below the floor beside a transaction that is rolled back", async () => {
      await services.submitMany(user, [{}, {}, {}, {}]);
      await age(4);
      const other = postgres(services.url, { max: 1 });
      await other`begin`;
      await other`delete from queued_job_events where user_id = ${user.id} and seq = 3`;
      assert.deepEqual(await removed(), { queuedJobs: 0, events: 2 });
      assert.equal((await log()).floor, 2);
      await other`rollback`;
      await other.end();
      assert.deepEqual(await removed(), { queuedJobs: 0, events: 2 });
      assert.deepEqual([(await log()).floor, await countEvents()], [4, 0]);
    });

    it("of a user whose row cannot be written is logged, and the others continue", async () => {
      await insertUsersWithEvents(services.database.sql, {
        users: 5,
        events: 2,
        at: "now() - interval '101 seconds'",
      });
      await services.submit(user);
      await age(1);
      await services.database.sql.unsafe(
        "create or replace function poison() returns trigger language plpgsql as $$ " +
          "begin raise exception 'poison'; end $$",
      );
      await services.database.sql.unsafe(
        "create trigger poison before update on user_streams for each row when " +
          `(old.user_id = '${user.id}') execute function poison()`,
      );
      const lines: Record<string, unknown>[] = [];
      const noisy = create({
        log: createLoggerTo({
          write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
        }),
      });
      assert.deepEqual(await removed(noisy), { queuedJobs: 0, events: 10 });
      assert.deepEqual(
        lines.filter(({ level }) => level === 50).map(({ msg, userId }) => [msg, userId]),
        [["events of a user were not purged", user.id]],
      );
      await services.database.sql`drop trigger poison on user_streams`;
      await forgetUsers();
    });

    it("checks only one event of a user without old events", async () => {
      await insertUsersWithEvents(services.database.sql, { users: 100, events: 200, at: "now()" });
      await services.database.sql`vacuum analyze queued_job_events, user_streams`;
      // Uses one transaction, because the statistics of a connection are local and immediately
      // readable there.
      const read = await services.database.sql.begin(async (tx) => {
        const countReads = async () =>
          Number(
            (
              await tx`select sum(seq_tup_read + idx_tup_fetch)::int as n
                from pg_stat_xact_user_tables where relname like 'queued_job_events_%'`
            )[0]?.["n"],
          );
        const before_ = await countReads();
        await create({ database: { ...services.database, sql: tx as unknown as Sql } }).run();
        return (await countReads()) - before_;
      });
      assert.ok(read > 0 && read <= 100, `${read} events of 100 users were read`);
      await forgetUsers();
    });
  });
});
