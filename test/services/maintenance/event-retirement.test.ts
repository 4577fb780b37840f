import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import {
  detachEventPartition,
  readEventPartitions,
  readRetiredEvents,
} from "../../../src/db/event-partitions.js";
import {
  createEventRetirement,
  rowTtlSeconds,
  type EventRetirementDeps,
} from "../../../src/services/maintenance/event-retirement.js";
import { createPurge } from "../../../src/services/maintenance/purge.js";
import { createRecount } from "../../../src/services/maintenance/recount.js";
import { createEventLog } from "../../../src/services/reads/event-log.js";
import { FIRST_ID } from "../../../src/services/reads/ids.js";
import type { User } from "../../../src/services/users/users.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";
import { makePastPartition, moveToPast } from "./past-partition.js";

const DAY_SECONDS = 86_400;
const { signal } = new AbortController();

describe("the retirement of events", () => {
  let services: TestServices;
  let user: User;
  beforeEach(async () => {
    services = await createTestServices();
    user = await services.newUser();
    await makePastPartition(services.database.sql);
  });
  afterEach(() => services.close());

  const run = (more: Partial<EventRetirementDeps> = {}) =>
    createEventRetirement({
      database: services.database,
      eventTtlSeconds: DAY_SECONDS,
      undelivered: null,
      log: silentLog,
      ...more,
    }).run(signal);
  const partitions = async () =>
    (await readEventPartitions(services.database.sql)).map(({ name }) => name);
  async function logOf({ id: userId }: User) {
    const query = { userId, seq: 0, limit: 100, queuedJobId: null };
    const { events, floor } = await createEventLog(services.database).read(query);
    return [events.map(({ seq }) => seq), floor];
  }

  it("drops a partition whole, raises the floors of its users, and frees their bytes", async () => {
    const [other, quiet] = [await services.newUser(), await services.newUser()];
    for (const one of [user, other]) await services.submitMany(one, [{}, {}, {}, {}]);
    await services.submit(quiet);
    await moveToPast(services.database.sql, user.id, 3);
    await moveToPast(services.database.sql, other.id, 4);
    assert.ok((await partitions()).includes("queued_job_events_past"));
    assert.deepEqual(await run(), { events: 7, strays: 0 });
    assert.ok(!(await partitions()).includes("queued_job_events_past"));
    assert.deepEqual(await Promise.all([user, other, quiet].map(logOf)), [
      [[4], 3],
      [[], 4],
      [[1], 0],
    ]);
    const [row] = await services.database.sql<{ wrong: number }[]>`
      select count(*)::int as wrong from user_streams s where recorded_bytes <> (
        select coalesce(sum(bytes), 0) from queued_job_events where user_id = s.user_id) + (
        select sum(octet_length(parameters::text)) from queued_jobs where user_id = s.user_id)`;
    assert.equal(row?.wrong, 0);
    assert.deepEqual(await run(), { events: 0, strays: 0 });
  });

  it("continues after a death, and neither it nor a recount counts bytes twice", async () => {
    const { sql } = services.database;
    await services.submitMany(user, [{}, {}, {}, {}, {}]);
    await moveToPast(sql, user.id, 5);
    const bytes = async () =>
      Number((await sql`select recorded_bytes as n from user_streams`)[0]?.["n"]);
    const [sum] = await sql<{ bytes: number }[]>`
      select sum(bytes)::int as bytes from queued_job_events`;
    const before = await bytes();
    const recount = createRecount({ database: services.database, log: silentLog });
    const repaired = async () => (await recount.run({ from: FIRST_ID, signal })).repaired;
    const [past] = await readEventPartitions(sql);
    await detachEventPartition(sql, past ?? assert.fail());
    assert.equal((await readRetiredEvents(sql)).length, 1);
    assert.equal(await repaired(), 0);
    assert.equal((await run({ eventsPerSlice: 2 })).events, 5);
    assert.deepEqual(await readRetiredEvents(sql), []);
    assert.equal(before - (await bytes()), sum?.bytes);
    assert.equal(await repaired(), 0);
  });

  it("keeps a partition while a webhook needs an event of it", async () => {
    const { sql } = services.database;
    await services.submitMany(user, [{}, {}]);
    await moveToPast(sql, user.id, 2);
    await sql`insert into webhook_positions (user_id, seq) values (${user.id}, 1)`;
    const limits = { keptSeconds: 7 * DAY_SECONDS, maxRecordedBytes: 1e9 };
    const undelivered = { undelivered: limits };
    assert.equal((await run(undelivered)).events, 0);
    assert.deepEqual(await logOf(user), [[1, 2], 0]);
    assert.equal((await run({ undelivered: { ...limits, maxRecordedBytes: 1 } })).events, 2);
    await services.submit(user);
    assert.deepEqual(await logOf(user), [[3], 2]);
  });

  it("reports events in the default partition, and removes them too", async () => {
    const { sql } = services.database;
    await sql`drop table queued_job_events_first`;
    await services.submitMany(user, [{}, {}]);
    assert.deepEqual(await run(), { events: 0, strays: 2 });
    const [stray] = await sql`select count(*)::int as n from queued_job_events_default`;
    assert.equal(stray?.["n"], 2);
    const kept = rowTtlSeconds(DAY_SECONDS);
    await sql`update queued_job_events set at = now() - ${kept + 1} * interval '1 s' where seq = 1`;
    const purge = createPurge({ ...services, eventTtlSeconds: DAY_SECONDS, log: silentLog });
    assert.equal((await purge.run()).events, 1);
    assert.deepEqual(await logOf(user), [[2], 1]);
    await sql`update queued_job_events set logged_hour = logged_hour - 50`;
    assert.deepEqual(await run(), { events: 1, strays: 0 });
    await services.submit(user);
    assert.deepEqual(await logOf(user), [[3], 2]);
  });

  it("deletes by row no event at the same place of another partition", async () => {
    const other = await services.newUser();
    await services.submitMany(other, [{}, {}]);
    await services.submitMany(user, [{}, {}]);
    await moveToPast(services.database.sql, user.id, 2);
    const purge = createPurge({ ...services, eventTtlSeconds: 100, log: silentLog });
    assert.equal((await purge.run()).events, 2);
    assert.deepEqual(await Promise.all([user, other].map(logOf)), [
      [[], 2],
      [[1, 2], 0],
    ]);
  });
});
