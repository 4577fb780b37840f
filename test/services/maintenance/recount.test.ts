import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { createRecount } from "../../../src/services/maintenance/recount.js";
import type { User } from "../../../src/services/users/users.js";
import { eventually } from "../../support/runner/eventually.js";
import { insertUsersWithEvents } from "../../support/service/many-users.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

describe("the recount of counters", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    await services.database.sql`truncate users, queued_job_events cascade`;
    lines.length = 0;
    user = await services.newUser();
  });
  afterEach(() => services.database.sql`drop trigger if exists poison on user_streams`);
  after(() => services.close());

  const lines: Record<string, unknown>[] = [];
  const log = createLoggerTo({
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  const signal = new AbortController().signal;
  const slice = (from: string | null = null, sliceMs?: number) =>
    createRecount({
      database: services.database,
      log,
      ...(sliceMs !== undefined && { sliceMs }),
    }).run({ from, signal });
  const repaired = async () => (await slice()).repaired;
  const set = (values: Record<string, number>, { id } = user) =>
    services.database
      .sql`update user_streams set ${services.database.sql(values)} where user_id = ${id}`;
  async function counters({ id } = user): Promise<unknown> {
    const [row] = await services.database
      .sql`select pending, stored_bytes::int as stored, recorded_bytes::int as recorded
        from user_streams where user_id = ${id}`;
    return row && { ...row };
  }
  /** The bytes of parameters and results as JSON text, and of events. */
  async function recordedBytes({ id } = user): Promise<number> {
    const [row] = await services.database.sql`
      select ((select coalesce(sum(octet_length(parameters::text) +
        coalesce(octet_length(result::text), 0)), 0) from queued_jobs where user_id = ${id})
        + (select coalesce(sum(bytes), 0) from queued_job_events where user_id = ${id})
        + (select coalesce(sum(bytes), 0) from photo_events where user_id = ${id}))::int as bytes`;
    return Number(row?.["bytes"]);
  }

  it("corrects wrong counters and no others", async () => {
    await services.newPhoto(user, { byteSize: 10 });
    const claimed = await services.start(
      await services.submit(user, { parameters: { message: "m" } }),
    );
    await services.queuedJobs.succeed(claimed, { done: "yes" }, [
      {
        name: "a",
        mimeType: "text/plain",
        byteSize: 5,
        width: null,
        height: null,
        storageKey: "k",
      },
    ]);
    await services.submitMany(user, [{}, {}]);
    await services.database.sql`update queued_job_events set bytes = 7 where type = 'QUEUED'`;
    await repaired();
    const right = { pending: 2, stored: 15, recorded: await recordedBytes() };
    assert.deepEqual([await repaired(), await counters()], [0, right]);
    for (const off of [
      { pending: 9 },
      { stored_bytes: 0 },
      { pending: 0, stored_bytes: 99 },
      { recorded_bytes: 0 },
      { recorded_bytes: 10_000 },
    ]) {
      await set(off);
      lines.length = 0;
      assert.equal(await repaired(), 1, JSON.stringify(off));
      assert.deepEqual(await counters(), right);
      assert.deepEqual(
        lines.map(({ level, userId }) => [level, userId]),
        [["recorded_bytes" in off ? 40 : 50, user.id]],
      );
    }
  });

  it("counts a user with thousands of QueuedJobs and events in parts of a snapshot", async () => {
    await services.database.sql`
      insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
        due_at, created_at, updated_at, status)
      select gen_random_uuid(), ${user.id}, 'echo', '{"a": 1}', 0, 0, 'r', now(), now(), now(),
        'PENDING' from generate_series(1, 2500)`;
    await services.database.sql`
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
      select ${user.id}, i, gen_random_uuid(), 'QUEUED', now(), '{}', 3
        from generate_series(1, 3100) i`;
    await set({ last_seq: 3100 });
    assert.equal(await repaired(), 1);
    assert.deepEqual(await counters(), { pending: 2500, stored: 0, recorded: 2500 * 8 + 3100 * 3 });
  });

  it("stays exact beside accepts and removals that change counters during the count", async () => {
    const people = await Promise.all([1, 2, 3].map(() => services.newUser()));
    let stop = false;
    const work = Promise.all(
      people.map(async (person) => {
        while (!stop) {
          const { id } = await services.submit(person);
          await services.queuedJobs.cancel(person, id);
          await services.queuedJobs.remove(person, id);
        }
      }),
    );
    await repaired();
    for (const person of people) await set({ pending: 5 }, person);
    lines.length = 0;
    for (let i = 0; i < 10; i++) await slice();
    stop = true;
    await work;
    const off = lines.filter(({ pending }) => pending !== 0);
    assert.equal(off.length, 3, "each was corrected once");
    for (const person of people)
      assert.deepEqual(((await counters(person)) as { pending: number }).pending, 0);
  });

  it("covers all users in slices, each continuing where the last one ended", async () => {
    await insertUsersWithEvents(services.database.sql, { users: 260, events: 1, at: "now()" });
    await services.database.sql`update user_streams set stored_bytes = 1`;
    let slices = 0;
    let total = 0;
    for (let from: string | null = null; slices === 0 || from !== null; slices++) {
      const done = await slice(from, 1);
      total += done.repaired;
      from = done.next;
    }
    assert.equal(total, 261);
    assert.ok(slices > 2, `${slices} slices`);
  });

  it("of a user whose counters cannot be written is logged, and the others continue", async () => {
    const other = await services.newUser();
    for (const one of [user, other]) await set({ pending: 3 }, one);
    await services.database.sql.unsafe(
      "create or replace function poison() returns trigger language plpgsql as $$ begin " +
        "raise exception 'poison'; end $$",
    );
    await services.database.sql.unsafe(
      "create trigger poison before update on user_streams for each row when " +
        `(old.user_id = '${user.id}') execute function poison()`,
    );
    assert.equal(await repaired(), 1);
    assert.deepEqual(
      lines
        .filter(({ msg }) => msg === "the counters of a user could not be corrected")
        .map(({ userId }) => userId),
      [user.id],
    );
    assert.equal(((await counters(other)) as { pending: number }).pending, 0);
  });

  it("logs names of Jobs that QueuedJobs have but the catalogue lacks", async () => {
    const { id } = await services.submit(user);
    await services.database.sql`update queued_jobs set job_name = 'vanished' where id = ${id}`;
    await slice();
    assert.deepEqual(
      lines.filter(({ jobs }) => jobs).map(({ level, jobs }) => [level, jobs]),
      [[50, ["vanished"]]],
    );
  });

  it("locks no counter while it counts", async () => {
    const other = services.database.sql;
    await insertUsersWithEvents(other, { users: 200, events: 100, at: "now()" });
    let done = false;
    const counting = slice().then(() => (done = true));
    let accepted = 0;
    await eventually("it has ended", async () => {
      await services.submit(user);
      accepted++;
      return done;
    });
    await counting;
    assert.ok(accepted > 0);
    assert.deepEqual(
      lines.filter(({ userId, pending }) => userId === user.id && pending !== 0),
      [],
    );
  });
});
