import type { Sql } from "postgres";
import { available } from "../db/database.js";
import type { Database } from "../db/database.js";
import { failpoint } from "../failpoint.js";
import type { Logger } from "../logger.js";
import type { Storage } from "../photos/storage.js";
import { FIRST_ID } from "./ids.js";
import { countLostFiles } from "./lost-files.js";
import { findNamedKeys } from "./named-keys.js";
import type { QueuedJobs } from "./queued-jobs.js";

export interface CleanUp {
  /** Finished QueuedJobs and events whose time is up; in small batches, so that nobody waits for it. */
  purge(): Promise<{ queuedJobs: number; events: number }>;
  /** Bytes that no row names, left over by a crash before the row or half-way in; those of the last hour may still get theirs. */
  sweepFiles(): Promise<number>;
  /** Files that rows name and that are not there: told, not touched. */
  countLostFiles(): Promise<number>;
  /** Counts again what the counters should say; returns how many were off. */
  recount(): Promise<number>;
}

const BATCH = 200;
const USERS = 500;
const EVENTS = 1000;
const FILES = 500;
/** What else lies in a bucket is somebody else's. */
const OURS = /^(photos|previews|outputs)\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\//;
const HOUR_MS = 3_600_000;

export function createCleanUp(deps: { database: Database; queuedJobs: Pick<QueuedJobs, "removeExpired">; storage: Storage; eventTtlSeconds: number; graceMs?: number; log: Logger }): CleanUp {
  const { queuedJobs, storage, eventTtlSeconds, graceMs = HOUR_MS, log } = deps;
  const { sql } = deps.database;

  async function purgeQueuedJobs(): Promise<number> {
    for (let total = 0; ; ) {
      const removed = await queuedJobs.removeExpired(BATCH);
      total += removed;
      if (removed === 0) return total;
      await failpoint("clean-up: between the batches");
    }
  }

  async function purgeEvents(): Promise<number> {
    let total = 0;
    for (let after: string | null = FIRST_ID; after !== null; ) {
      const page: { userId: string; seq: number | null }[] = await available(() => findOldEvents(sql, after ?? "", eventTtlSeconds));
      for (const { userId, seq } of page) if (seq !== null) total += await available(() => purgePrefix(sql, userId, seq));
      // A user with more than one batch of them has their turn again.
      const more = page.find(({ seq }) => seq !== null);
      after = page.length === USERS ? (page.at(-1)?.userId ?? null) : more ? FIRST_ID : null;
    }
    return total;
  }

  return {
    async purge() {
      const told = { queuedJobs: await purgeQueuedJobs(), events: await purgeEvents() };
      if (told.queuedJobs + told.events > 0) log.info(told, "purged");
      return told;
    },

    async sweepFiles() {
      let removed = await storage.clearScratch(new Date(Date.now() - graceMs));
      for await (const keys of oldKeys(storage, graceMs)) {
        const named = await available(() => findNamedKeys(sql, keys));
        const orphans = keys.filter((key) => !named.has(key));
        await storage.delete(orphans);
        removed += orphans.length;
      }
      if (removed > 0) log.info({ files: removed }, "files that no row names were removed");
      return removed;
    },

    countLostFiles: () => countLostFiles({ sql, storage, log }),

    async recount() {
      const off = await available(() => findWrongCounters(sql));
      for (const userId of off) await available(() => recountUser(sql, userId));
      if (off.length > 0) log.error({ users: off.length }, "counters were off and were counted again: look for what writes rows past the service");
      return off.length;
    },
  };
}

/** The next users that have events, and of each the last of its first batch that is too old. */
function findOldEvents(sql: Sql, after: string, ttlSeconds: number): Promise<{ userId: string; seq: number | null }[]> {
  return sql<{ userId: string; seq: number | null }[]>`
    select s.user_id as "userId", e.seq::float8 as seq
    from (select user_id, floor_seq from user_streams where user_id > ${after} and floor_seq < last_seq order by user_id limit ${USERS}) s
    cross join lateral (
      select max(seq) as seq from (select seq, at from queued_job_events where user_id = s.user_id and seq > s.floor_seq order by seq limit ${EVENTS}) first
      where first.at < now() - ${ttlSeconds} * interval '1 second') e
    order by s.user_id`;
}

/** A prefix of the log, and the floor that says so, in one statement: a reader sees both or neither. */
async function purgePrefix(sql: Sql, userId: string, seq: number): Promise<number> {
  const [row] = await sql<{ purged: number }[]>`
    with s as (update user_streams set floor_seq = greatest(floor_seq, ${seq}) where user_id = ${userId} returning user_id),
    d as (delete from queued_job_events e using s where e.user_id = s.user_id and e.seq <= ${seq} returning e.seq)
    select count(*)::int as purged from d`;
  return row?.purged ?? 0;
}

async function* oldKeys(storage: Storage, graceMs: number): AsyncGenerator<string[]> {
  const keys: string[] = [];
  for await (const { key, modifiedAt } of storage.list()) {
    if (!OURS.test(key) || !(Date.now() - modifiedAt.getTime() >= graceMs)) continue;
    keys.push(key);
    if (keys.length === FILES) yield keys.splice(0);
  }
  if (keys.length > 0) yield keys;
}

/** Candidates only: what is under way at this moment may make a right counter look wrong. */
async function findWrongCounters(sql: Sql): Promise<string[]> {
  const rows = await sql<{ userId: string }[]>`
    select s.user_id as "userId" from user_streams s where s.pending <> (select count(*) from queued_jobs q where q.user_id = s.user_id and q.status in ('PENDING', 'STARTED'))
      or s.stored_bytes <> ${storedBytes(sql)} limit 1000`;
  return rows.map((row) => row.userId);
}

/** The counter is locked before anything is counted, and in a statement of its own: in one statement the count would be older than the lock. */
async function recountUser(sql: Sql, userId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select from user_streams where user_id = ${userId} for no key update`;
    await tx`
      update user_streams s set pending = (select count(*) from queued_jobs q where q.user_id = s.user_id and q.status in ('PENDING', 'STARTED')), stored_bytes = ${storedBytes(tx)}
      where s.user_id = ${userId}`;
  });
}

function storedBytes(sql: Sql | Parameters<Parameters<Sql["begin"]>[1]>[0]) {
  return sql`(select coalesce(sum(byte_size), 0) from photos p where p.user_id = s.user_id)
    + (select coalesce(sum(o.byte_size), 0) from queued_job_outputs o join queued_jobs q on q.id = o.queued_job_id where q.user_id = s.user_id)`;
}
