// Counts again what the counters of users should say. A counter changes in the same commit as its
// rows, so one snapshot shows its error. This error stays the same whatever is written later. It is
// therefore added afterwards, and no row is locked while others are counted.
import type { Sql, TransactionSql } from "postgres";
import { available, connectionFault, isAway, type Database } from "../../db/database.js";
import { readRetiredEvents } from "../../db/event-partitions.js";
import { ServiceUnavailableError } from "../../domain/errors.js";
import type { Logger } from "../../runtime/logger.js";
import { FIRST_ID } from "../reads/ids.js";
import type { Slice } from "./duties.js";

export interface Recount {
  /**
   * Runs one slice. Returns the start of the next slice and the number of users with a wrong
   * counter.
   */
  run(slice: Slice): Promise<{ next: string | null; repaired: number }>;
}

/** Users per snapshot. */
const USERS_PER_PAGE = 50;
/** Maximum rows of one user that one statement counts. */
const ROWS_PER_USER = 1000;
const SLICE_MS = 10_000;

/** The errors of the counters of a user, once everything is counted. */
interface Counted {
  userId: string;
  pending: number;
  storedBytes: number;
  recordedBytes: number;
  /**
   * Names of Jobs in the user's QueuedJobs that the catalogue lacks; no foreign key prevents this.
   */
  unknownJobs: string[];
  /** Last positions that were counted, of QueuedJobs and of events; null at the end. */
  lastJob: string | null;
  lastSeq: number | null;
}

export function createRecount({
  database: { sql },
  log,
  sliceMs = SLICE_MS,
}: {
  database: Database;
  log: Logger;
  sliceMs?: number;
}): Recount {
  const countAll = createCount(sql, log);

  return {
    async run({ from, signal }) {
      let repaired = 0;
      let after = from ?? FIRST_ID;
      for (const end = performance.now() + sliceMs; performance.now() < end && !signal.aborted;) {
        const userIds = await available(() => readUserIds(sql, after));
        const users = await countAll(userIds);
        const unknownJobs = new Set(users.flatMap((user) => user.unknownJobs));
        if (unknownJobs.size > 0)
          log.error(
            { jobs: [...unknownJobs] },
            "QueuedJobs refer to Jobs without a row: run npm run migrate",
          );
        for (const user of users) if (await repair(sql, log, user)) repaired++;
        if (userIds.length < USERS_PER_PAGE) return { next: null, repaired };
        after = userIds.at(-1) ?? after;
      }
      return { next: after, repaired };
    },
  };
}

/** Counts the rows of these users, and skips a user who cannot be counted. */
function createCount(sql: Sql, log: Logger): (userIds: string[]) => Promise<Counted[]> {
  /** Uses no deadline, because one user may have millions of rows and each statement is short. */
  async function count(userIds: string[]): Promise<Counted[]> {
    try {
      return (await sql.begin((tx) => countUsers(tx, userIds))) as Counted[];
    } catch (error) {
      if (connectionFault(error) === null) throw error;
      throw new ServiceUnavailableError("The database is unavailable; try again in a moment.", {
        cause: error,
      });
    }
  }

  /** Counts users one by one, so that a user with too many rows does not affect the others. */
  async function countEach(userIds: string[]): Promise<Counted[]> {
    const faults: unknown[] = [];
    const counted: Counted[] = [];
    for (const userId of userIds) {
      try {
        counted.push(...(await count([userId])));
      } catch (error) {
        if (isAway(error)) throw error;
        log.error({ err: error, userId }, "the rows of a user could not be counted");
        faults.push(error);
      }
    }
    if (counted.length === 0 && faults.length > 1) throw faults[0];
    return counted;
  }

  return async (userIds) => {
    try {
      return await count(userIds);
    } catch (error) {
      if (isAway(error)) throw error;
      return countEach(userIds);
    }
  };
}

async function repair(sql: Sql, log: Logger, counted: Counted): Promise<boolean> {
  const { userId, pending, storedBytes, recordedBytes } = counted;
  const off = { pending, storedBytes, recordedBytes };
  if (Object.values(off).every((number) => number === 0)) return false;
  try {
    await available(
      () => sql`
      update user_streams set pending = pending + ${pending},
        stored_bytes = stored_bytes + ${storedBytes},
        recorded_bytes = recorded_bytes + ${recordedBytes} where user_id = ${userId}`,
    );
    // Rows of an earlier release have no recorded bytes.
    const level = pending === 0 && storedBytes === 0 ? "warn" : "error";
    log[level](
      { userId, ...off },
      "wrong counters were corrected: find out what writes rows without the service",
    );
    return true;
  } catch (error) {
    if (isAway(error)) throw error;
    log.error({ err: error, userId, ...off }, "the counters of a user could not be corrected");
    return false;
  }
}

async function readUserIds(sql: Sql, after: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select user_id as id from user_streams where user_id > ${after} order by user_id
      limit ${USERS_PER_PAGE}`;
  return rows.map(({ id }) => id);
}

async function countUsers(tx: TransactionSql, userIds: string[]): Promise<Counted[]> {
  await tx`set transaction isolation level repeatable read, read only`;
  // No partition of events is dropped during this. The bytes of one that just went are in no sum.
  await tx`lock table queued_job_events in access share mode`;
  if ((await readRetiredEvents(tx)).length > 0) return [];
  const users = await readCounters(tx, userIds);
  for (
    let open = users;
    open.length > 0;
    open = open.filter(({ lastJob, lastSeq }) => lastJob !== null || lastSeq !== null)
  ) {
    await countJobs(
      tx,
      open.filter(({ lastJob }) => lastJob !== null),
    );
    await countEvents(
      tx,
      open.filter(({ lastSeq }) => lastSeq !== null),
    );
  }
  return users;
}

/** Reads everything that one statement can count, minus the values of the counters. */
async function readCounters(tx: TransactionSql, userIds: string[]): Promise<Counted[]> {
  const rows = await tx<Pick<Counted, "userId" | "pending" | "storedBytes" | "recordedBytes">[]>`
    select s.user_id as "userId",
      ((select count(*) from queued_jobs q where q.user_id = s.user_id
      and q.status in ('PENDING', 'STARTED')) - s.pending)::int as pending,
      ((select coalesce(sum(byte_size), 0) from photos p
      where p.user_id = s.user_id) - s.stored_bytes)::float8 as "storedBytes",
      (coalesce((select bytes from purged_bytes b where b.user_id = s.user_id), 0)
      - s.recorded_bytes)::float8 as "recordedBytes"
    from user_streams s where s.user_id = any(${userIds}::uuid[]) order by s.user_id`;
  return rows.map((row) => ({ ...row, unknownJobs: [], lastJob: FIRST_ID, lastSeq: 0 }));
}

/** Adds the next QueuedJobs of each user. */
async function countJobs(tx: TransactionSql, users: Counted[]): Promise<void> {
  const rows = await tx<
    { count: number; last: string | null; recorded: number; stored: number; unknown: string[] }[]
  >`
    select j.* from unnest(${users.map(({ userId }) => userId)}::uuid[],
      ${users.map(({ lastJob }) => lastJob)}::uuid[])
      with ordinality as u(user_id, after, place)
    cross join lateral (
      select count(*)::int as count, (array_agg(t.id::text order by t.id desc))[1] as last,
        coalesce(sum(t.recorded), 0)::float8 as recorded, coalesce(sum(t.stored),
        0)::float8 as stored,
        coalesce(array_agg(distinct t.job_name) filter (where t.job_name not in (select name
        from jobs)), '{}') as unknown
      from (
        select q.id, q.job_name, octet_length(q.parameters::text) +
          coalesce(octet_length(q.result::text), 0) as recorded,
          (select sum(o.byte_size) from queued_job_outputs o where o.queued_job_id = q.id) as stored
        from queued_jobs q where q.user_id = u.user_id and q.id > u.after order by q.id
          limit ${ROWS_PER_USER}) t) j
    order by u.place`;
  for (const [i, user] of users.entries()) {
    const row = rows[i];
    user.recordedBytes += row?.recorded ?? 0;
    user.storedBytes += row?.stored ?? 0;
    user.unknownJobs.push(...(row?.unknown ?? []));
    user.lastJob = row?.count === ROWS_PER_USER ? row.last : null;
  }
}

/** Adds the next events of each user. */
async function countEvents(tx: TransactionSql, users: Counted[]): Promise<void> {
  const rows = await tx<{ count: number; last: number | null; recorded: number }[]>`
    select e.* from unnest(${users.map(({ userId }) => userId)}::uuid[],
      ${users.map(({ lastSeq }) => lastSeq)}::bigint[])
      with ordinality as u(user_id, after, place)
    cross join lateral (
      select count(*)::int as count, max(t.seq)::float8 as last, coalesce(sum(t.bytes),
        0)::float8 as recorded
      from (
        (select seq, bytes from queued_job_events where user_id = u.user_id and seq > u.after
          order by seq limit ${ROWS_PER_USER})
        union all (select seq, bytes from photo_events where user_id = u.user_id
          and seq > u.after order by seq limit ${ROWS_PER_USER})
        order by seq limit ${ROWS_PER_USER}) t) e
    order by u.place`;
  for (const [i, user] of users.entries()) {
    user.recordedBytes += rows[i]?.recorded ?? 0;
    user.lastSeq = rows[i]?.count === ROWS_PER_USER ? (rows[i]?.last ?? null) : null;
  }
}
