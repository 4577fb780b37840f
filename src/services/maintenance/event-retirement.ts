// Removes old events by dropping whole partitions of the log. First the floors of their users rise,
// so that no cursor below is resumed. Then the partition is detached. At last its bytes are summed
// and subtracted from the counters, in slices that lock only their own counters.
import type { Fragment, Sql } from "postgres";
import { available, inTransaction, type Database } from "../../db/database.js";
import {
  DEFAULT_EVENT_PARTITION,
  detachEventPartition,
  makeEventPartitions,
  readEventPartitions,
  readRetiredEvents,
  type EventPartition,
} from "../../db/event-partitions.js";
import type { Logger } from "../../runtime/logger.js";
import { briefLocks } from "../queued-jobs/statements.js";
import { FIRST_ID } from "../reads/ids.js";
import type { UndeliveredLimits } from "./purge-events.js";

const HOUR_SECONDS = 3600;
/** Partitions that share the time to live: reads visit each of them. */
const PARTS = 4;
const MAX_HOURS = 168;
/** Time after which no transaction inserts events of an hour that has passed. */
const SETTLED_SECONDS = 120;
const USERS_PER_STATEMENT = 500;
const EVENTS_PER_SLICE = 500_000;
/** Maximum stray events that are counted. */
const MAX_STRAYS = 1000;

function partitionHours(eventTtlSeconds: number): number {
  const hours = Math.round(eventTtlSeconds / PARTS / HOUR_SECONDS);
  return Math.min(MAX_HOURS, Math.max(1, hours));
}

/**
 * Age at which events are removed row by row: at once when the time to live is short, and otherwise
 * when no partition took them along.
 */
export function rowTtlSeconds(eventTtlSeconds: number): number {
  if (eventTtlSeconds < PARTS * HOUR_SECONDS) return eventTtlSeconds;
  return eventTtlSeconds + (partitionHours(eventTtlSeconds) + 1) * HOUR_SECONDS;
}

export interface Retired {
  /** Number of dropped events. */
  events: number;
  /** Events of the last hours without a partition, up to a bound. */
  strays: number;
}

export interface EventRetirementDeps {
  database: Database;
  eventTtlSeconds: number;
  /** Keeps partitions with events that no webhook has delivered; null without webhooks. */
  undelivered: UndeliveredLimits | null;
  log: Logger;
  eventsPerSlice?: number;
}

/** Beware: one process at a time may run this. */
export function createEventRetirement(deps: EventRetirementDeps) {
  const { sql } = deps.database;
  const { eventsPerSlice = EVENTS_PER_SLICE } = deps;
  const ageSeconds = Math.max(deps.eventTtlSeconds, SETTLED_SECONDS);

  /** Continues where a process died: after each commit, the next run finds what is left. */
  async function dropRetired(): Promise<number> {
    let events = 0;
    for (const name of await available(() => readRetiredEvents(sql))) {
      for (let dropped = false; !dropped;) {
        const slice = await available(() => sumSlice(sql, name, eventsPerSlice));
        ({ dropped } = slice);
        events += slice.events;
      }
    }
    await subtractBytes(sql);
    return events;
  }

  return {
    /** Makes partitions ahead, and drops those whose newest event is older than its time to live. */
    async run(signal: AbortSignal): Promise<Retired> {
      await available(() => makeEventPartitions(sql, partitionHours(deps.eventTtlSeconds)));
      let events = await dropRetired();
      for (const partition of await available(() => readOld(sql, ageSeconds))) {
        if (signal.aborted || (await isHeld(sql, partition, deps.undelivered))) break;
        await walkUsers(sql, partition, (page) => raiseFloors(sql, page));
        await available(() => detachEventPartition(sql, partition));
        const dropped = await dropRetired();
        deps.log.info({ partition: partition.name, events: dropped }, "a partition was dropped");
        events += dropped;
      }
      return { events, strays: await available(() => countStrays(sql)) };
    },
  };
}

/** The default partition is old, too, when its newest event is. Beware: it may be empty. */
async function readOld(sql: Sql, ageSeconds: number): Promise<EventPartition[]> {
  const [row] = await sql<{ hour: number; endHour: number | null }[]>`select
    floor((date_part('epoch', clock_timestamp()) - ${ageSeconds}) / ${HOUR_SECONDS})::int as hour,
    (select max(logged_hour) + 1 from ${sql(DEFAULT_EVENT_PARTITION)}) as "endHour"`;
  const { hour = 0, endHour = null } = row ?? {};
  const strays = endHour === null ? [] : [{ name: DEFAULT_EVENT_PARTITION, endHour }];
  const partitions = [...(await readEventPartitions(sql)), ...strays];
  return partitions.filter((partition) => partition.endHour <= hour);
}

interface Walked {
  count: number;
  last: string | null;
  /** True ends the walk. */
  stop: boolean;
}

/**
 * Visits the users in pages: `s`, and `f` with the newest event in the partition of each who has
 * one. Returns true if the walk was stopped.
 */
async function walkUsers(
  sql: Sql,
  { name }: EventPartition,
  visit: (page: Fragment) => Promise<Walked>,
): Promise<boolean> {
  for (let after: string | null = FIRST_ID; after !== null;) {
    const from: string = after;
    const users = sql`
      s as materialized (
        select user_id, floor_seq, recorded_bytes from user_streams
        where user_id > ${from} and last_seq > 0 order by user_id limit ${USERS_PER_STATEMENT}),
      f as materialized (
        select s.*, e.seq, e.at from s cross join lateral (
          select seq, at from ${sql(name)} where user_id = s.user_id order by seq desc limit 1) e)`;
    const page = await available(() => visit(users));
    if (page.stop) return true;
    after = page.count === USERS_PER_STATEMENT ? page.last : null;
  }
  return false;
}

const pageEnd = (sql: Sql) => sql`
  count(*)::int as count, (array_agg(s.user_id::text order by s.user_id desc))[1] as last`;

/**
 * The counters are locked in the order of their users, and only once the partition has been read: a
 * cold one takes seconds.
 */
async function raiseFloors(sql: Sql, users: Fragment): Promise<Walked> {
  const [page] = await sql<Walked[]>`
    with ${users},
    c as materialized (
      select f.user_id, f.seq from f cross join lateral (
        select from user_streams u where u.user_id = f.user_id for no key update) u
      where f.seq > f.floor_seq and ${briefLocks(sql)} and (select count(*) from f) > 0),
    u as (
      update user_streams u set floor_seq = greatest(u.floor_seq, c.seq) from c
      where u.user_id = any(array(select user_id from c)) and u.user_id = c.user_id)
    select ${pageEnd(sql)}, false as stop from s`;
  return page ?? { count: 0, last: null, stop: false };
}

/** True if a webhook still needs an event of the partition; see `isFree` of the purge. */
async function isHeld(
  sql: Sql,
  partition: EventPartition,
  undelivered: UndeliveredLimits | null,
): Promise<boolean> {
  if (undelivered === null) return false;
  return walkUsers(sql, partition, async (users) => {
    const [page] = await sql<Walked[]>`
      with ${users}
      select ${pageEnd(sql)}, exists (
        select from f join webhook_positions p on p.user_id = f.user_id and p.seq < f.seq
        where f.recorded_bytes <= ${undelivered.maxRecordedBytes}
          and f.at >= clock_timestamp() - ${undelivered.keptSeconds} * interval '1 second') as stop
      from s`;
    return page ?? { count: 0, last: null, stop: false };
  });
}

/**
 * Adds the bytes of the next events of a retired table to `purged_bytes`; drops the table at its
 * end. The comment of the table is the position of the last sum, so that each event counts once.
 * The index alone is read.
 */
function sumSlice(
  sql: Sql,
  name: string,
  limit: number,
): Promise<{ events: number; dropped: boolean }> {
  return inTransaction(sql, async (tx) => {
    const [position] = await tx<{ userId: string; seq: string }[]>`
      select coalesce(split_part(d, ' ', 1), ${FIRST_ID}) as "userId",
        coalesce(split_part(d, ' ', 2), '0') as seq
      from obj_description(${name}::regclass, 'pg_class') d`;
    const [sum] = await tx<{ events: number; end: string | null }[]>`
      with b as materialized (
        select user_id, sum(bytes) as bytes, count(*) as events, max(seq) as seq from (
          select user_id, seq, bytes from ${tx(name)}
          where (user_id, seq) > (${position?.userId ?? FIRST_ID}::uuid,
            ${position?.seq ?? "0"}::bigint)
          order by user_id, seq limit ${limit}) slice
        group by user_id),
      p as (
        insert into purged_bytes (user_id, bytes) select user_id, bytes from b
        on conflict (user_id) do update set bytes = purged_bytes.bytes + excluded.bytes)
      select coalesce(sum(events), 0)::int as events,
        (select user_id || ' ' || seq from b order by user_id desc limit 1) as end from b`;
    const events = sum?.events ?? 0;
    const dropped = events < limit;
    await tx.unsafe(dropped ? `drop table ${name}` : `comment on table ${name} is '${sum?.end}'`);
    return { events, dropped };
  });
}

/** Leaves locked counters for the next run. Users of closed accounts have none. */
async function subtractBytes(sql: Sql): Promise<void> {
  for (let after: string | null = FIRST_ID; after !== null;) {
    const from: string = after;
    const [page] = await available(
      () => sql<Pick<Walked, "count" | "last">[]>`
      with s as materialized (
        select user_id from purged_bytes where user_id > ${from}
        order by user_id limit ${USERS_PER_STATEMENT}),
      c as materialized (
        select s.user_id from s cross join lateral (select from user_streams u
          where u.user_id = s.user_id for no key update skip locked) u),
      d as (
        delete from purged_bytes b where b.user_id in (
          select user_id from c union all select user_id from s where not exists (
            select from user_streams u where u.user_id = s.user_id)) returning user_id, bytes),
      u as (
        update user_streams u set recorded_bytes = u.recorded_bytes - d.bytes from d
        where u.user_id = d.user_id)
      select ${pageEnd(sql)} from s`,
    );
    after = page?.count === USERS_PER_STATEMENT ? page.last : null;
  }
}

async function countStrays(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from (
      select from ${sql(DEFAULT_EVENT_PARTITION)}
      where logged_hour >= floor(date_part('epoch', clock_timestamp()) / 3600)::int - 1
      limit ${MAX_STRAYS}) strays`;
  return row?.count ?? 0;
}
