// The data of a closed account is erased in slices: short transactions that block no other user. A
// slice deletes its rows first and their files afterwards. If a crash happens in between, the file
// sweep removes the files.
import type { Sql } from "postgres";
import { available, isAway, type Database } from "../../db/database.js";
import type { Logger } from "../../runtime/logger.js";
import { renditionKeysOf } from "../photos/photos.js";
import { FIRST_ID } from "../reads/ids.js";
import { eraseQueuedJobs, type ErasedSlice } from "../queued-jobs/bulk/erase.js";

export interface AccountErasure {
  /**
   * Deletes rows and files of a closed account, for about `forMs`. Returns true once nothing is
   * left, and false for an open account.
   */
  erase(userId: string, options: { forMs: number; signal?: AbortSignal }): Promise<boolean>;
  /** Does the same for all closed accounts, oldest first. Returns true once nothing is left. */
  eraseAll(options: { forMs: number; signal?: AbortSignal }): Promise<boolean>;
}

export interface AccountErasureDeps {
  database: Database;
  deleteFiles(storageKeys: string[]): Promise<void>;
  stopWork(queuedJobIds: string[]): void;
  log: Logger;
}

const ROWS_PER_SLICE = 500;
const EVENTS_PER_SLICE = 2000;
const ACCOUNTS = 100;

/** Deletes the next rows after a position. Returns the next position, or null at the end. */
type EraseSlice = (userId: string, position: string) => Promise<string | null>;

export function createAccountErasure(deps: AccountErasureDeps): AccountErasure {
  const { log } = deps;
  const { sql } = deps.database;
  const slices = createSlices(deps);

  async function erase(
    userId: string,
    { forMs, signal }: { forMs: number; signal?: AbortSignal },
  ): Promise<boolean> {
    const end = performance.now() + forMs;
    if (await available(() => isOpen(sql, userId))) return false;
    for (const [start, eraseSlice] of slices) {
      for (let position: string | null = start; position !== null;) {
        position = await eraseSlice(userId, position);
        // Checked only after a full slice, so that each call makes progress.
        if (position !== null && (performance.now() > end || signal?.aborted)) return false;
      }
    }
    const isGone = await available(() => eraseUser(sql, userId));
    if (isGone) log.info({ userId }, "all data of a deleted account was erased");
    return isGone;
  }

  /** Erases one account; a failure does not stop the others. */
  async function tryErase(
    userId: string,
    options: { forMs: number; signal?: AbortSignal },
  ): Promise<boolean> {
    try {
      return await erase(userId, options);
    } catch (error) {
      if (isAway(error)) throw error;
      log.error({ err: error, userId }, "a deleted account was not erased; maintenance retries");
      return false;
    }
  }

  return {
    erase,
    async eraseAll({ forMs, signal }) {
      const end = performance.now() + forMs;
      const closed = await available(
        () =>
          sql<
            { id: string }[]
          >`select id from users where closed_at is not null order by id limit ${ACCOUNTS}`,
      );
      let left = closed.length;
      for (const { id } of closed) {
        if (signal?.aborted) break;
        if (await tryErase(id, { forMs: end - performance.now(), ...(signal && { signal }) }))
          left--;
      }
      return left === 0;
    },
  };
}

/** The slices in the order in which they run, each with its start position. */
function createSlices({
  database: { sql },
  stopWork,
  log,
  ...deps
}: AccountErasureDeps): [start: string, erase: EraseSlice][] {
  async function deleteFiles(userId: string, keys: string[]): Promise<void> {
    if (keys.length === 0) return;
    await deps
      .deleteFiles(keys)
      .catch((error: unknown) =>
        log.warn(
          { err: error, userId, files: keys.length },
          "files of a deleted account were not deleted; the file sweep removes them",
        ),
      );
  }

  async function eraseJobs(userId: string, afterId: string | null): Promise<ErasedSlice> {
    const slice = await available(() =>
      eraseQueuedJobs(sql, { userId, afterId, limit: ROWS_PER_SLICE }),
    );
    stopWork(slice.running);
    await deleteFiles(userId, slice.storageKeys);
    return slice;
  }

  const unfinishedJobs: EraseSlice = async (userId, position) => {
    const { count } = await eraseJobs(userId, null);
    return count === ROWS_PER_SLICE ? position : null;
  };

  const queuedJobs: EraseSlice = async (userId, afterId) => {
    const { count, last } = await eraseJobs(userId, afterId);
    return count === ROWS_PER_SLICE ? last : null;
  };

  const eventsOf =
    (table: "queued_job_events" | "photo_events"): EraseSlice =>
    async (userId, position) => {
      const { count, last } = await available(() => eraseEvents(sql, table, userId, position));
      return count === EVENTS_PER_SLICE ? last : null;
    };

  const photos: EraseSlice = async (userId, position) => {
    const { count, last, storageKeys } = await available(() => erasePhotos(sql, userId, position));
    await deleteFiles(userId, storageKeys);
    return count === ROWS_PER_SLICE ? last : null;
  };

  // Unfinished QueuedJobs go first, so that none of them runs. Groups and events have no files.
  return [
    ["", unfinishedJobs],
    [FIRST_ID, queuedJobs],
    [FIRST_ID, photos],
    [FIRST_ID, (userId, position) => eraseGroups(sql, userId, position)],
    ["0", eventsOf("queued_job_events")],
    ["0", eventsOf("photo_events")],
  ];
}

interface ErasedRows {
  count: number;
  /** The last deleted position; null when no row was found. */
  last: string | null;
}

async function eraseEvents(
  sql: Sql,
  table: string,
  userId: string,
  afterSeq: string,
): Promise<ErasedRows> {
  const [slice] = await sql<ErasedRows[]>`
    with x as materialized (
      select seq from ${sql.unsafe(table)} where user_id = ${userId} and seq > ${afterSeq} order by seq
        limit ${EVENTS_PER_SLICE}),
    d as (
      delete from ${sql.unsafe(table)}
      where user_id = ${userId} and seq > ${afterSeq} and seq <= (select max(seq) from x))
    select count(*)::int as count, max(seq)::text as last from x`;
  return slice ?? { count: 0, last: null };
}

async function eraseGroups(sql: Sql, userId: string, afterId: string): Promise<string | null> {
  const [slice] = await available(
    () => sql<{ next: string | null }[]>`
    with x as (
      delete from job_groups where id = any(array(
        select id from job_groups where user_id = ${userId} and id > ${afterId} order by id
        limit ${ROWS_PER_SLICE})) returning id)
    select case when count(*) = ${ROWS_PER_SLICE} then max(id::text) end as next from x`,
  );
  return slice?.next ?? null;
}

async function erasePhotos(
  sql: Sql,
  userId: string,
  afterId: string,
): Promise<ErasedRows & { storageKeys: string[] }> {
  const [slice] = await sql<(ErasedRows & { storageKeys: string[] })[]>`
    with x as materialized (
      select id, user_id, storage_key, preview_key, renditions from photos
      where user_id = ${userId} and id > ${afterId} order by id limit ${ROWS_PER_SLICE} for update),
    d as (delete from photos where id = any(array(select id from x)))
    select count(*)::int as count, (array_agg(id::text order by id desc))[1] as last,
      coalesce(array_agg(storage_key) || array_agg(preview_key) filter (where preview_key is not
      null), '{}') || array(select ${renditionKeysOf(sql)} from x) as "storageKeys" from x`;
  return slice ?? { count: 0, last: null, storageKeys: [] };
}

async function isOpen(sql: Sql, userId: string): Promise<boolean> {
  const rows = await sql`select from users where id = ${userId} and closed_at is null`;
  return rows.length > 0;
}

/**
 * Deletes the users row unless other rows still refer to it. Returns true when it no longer exists.
 */
async function eraseUser(sql: Sql, userId: string): Promise<boolean> {
  const [row] = await sql<{ isGone: boolean }[]>`
    with d as (
      delete from users u where id = ${userId} and closed_at is not null
        and not exists (select from queued_jobs where user_id = u.id) and not exists (select
          from photos where user_id = u.id)
        and not exists (select from job_groups where user_id = u.id)
        and not exists (select from queued_job_events where user_id = u.id)
        and not exists (select from photo_events where user_id = u.id)
      returning id),
    p as (delete from pauses where kind = 'USER' and subject = ${userId}::text)
    select exists (select from d) or not exists (select from users
      where id = ${userId}) as "isGone"`;
  return row?.isGone === true;
}
