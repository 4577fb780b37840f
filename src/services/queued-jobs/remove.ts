// Removes finished QueuedJobs, one or many per statement. Rows, outputs and earlier events go, and
// one DELETED event remains of each.
import type { Fragment, Sql } from "postgres";
import { available } from "../../db/database.js";
import { ServiceUnavailableError } from "../../domain/errors.js";
import { FINISHED_STATUSES } from "../../domain/queued-job-status.js";
import { hasTimeFor, withoutDeadline } from "../../runtime/deadline.js";
import { failpoint } from "../../runtime/failpoint.js";
import type { Logger } from "../../runtime/logger.js";
import type { Committer } from "./commit.js";
import { isPinned } from "./groups/handed-pictures.js";
import { memberJson, stepColumns, withSnapshots, type Step } from "./statements.js";

export interface RemoverDeps {
  sql: Sql;
  committer: Committer;
  deleteFiles(storageKeys: string[]): Promise<void>;
  log: Logger;
}

/** Maximum rows per statement. */
const BATCH_SIZE = 200;
/** Time that one statement may take. With less time left, a request starts no further statement. */
const STATEMENT_MS = 5000;

export type Remover = ReturnType<typeof createRemover>;

export function createRemover(deps: RemoverDeps) {
  const { sql } = deps;
  const removal: Removal = { ...deps, broken: new Set() };
  return {
    /** Deletes the files of removed rows. Never rejects. */
    deleteFiles: (removed: readonly Removed[]): Promise<void> => deleteFilesOf(removal, removed),

    /** Returns false when the QueuedJob has changed since it was read. */
    async one(finished: Finished): Promise<boolean> {
      const removed = await commitRemoval(removal, () =>
        removeFinished(sql, [finished], { wait: true }),
      );
      await deleteFilesOf(removal, removed);
      return removed.length > 0;
    },

    /**
     * Returns the number removed, which is lower when time runs out or the database fails. Files
     * are deleted after the answer, which therefore does not depend on the storage.
     */
    async many(finished: readonly Finished[]): Promise<number> {
      let count = 0;
      for (let i = 0; i < finished.length; i += BATCH_SIZE) {
        if (!hasTimeFor(STATEMENT_MS)) break;
        try {
          const removed = await removeTogether(removal, finished.slice(i, i + BATCH_SIZE));
          withoutDeadline(() => void deleteFilesOf(removal, removed));
          count += removed.length;
        } catch (error) {
          if (count > 0 && error instanceof ServiceUnavailableError) break;
          throw error;
        }
      }
      return count;
    },

    /** Removes at most `limit` expired QueuedJobs, oldest first; returns their number. */
    async expired(limit: number): Promise<number> {
      const query = () => ({ limit, except: [...removal.broken] });
      let removed: Removed[];
      try {
        removed = await commitRemoval(removal, () => removeExpired(sql, query()));
      } catch (error) {
        if (error instanceof ServiceUnavailableError) throw error;
        const singly = await available(() => findExpired(sql, query()));
        removed = await removeSingly(removal, singly);
      }
      await deleteFilesOf(removal, removed);
      return removed.length;
    },
  };
}

async function commitRemoval(
  { committer }: RemoverDeps,
  write: () => Promise<Removed[]>,
): Promise<Removed[]> {
  const stepsOf = (removed: Removed[]) => removed.map(({ step }) => step);
  const removed = await committer.commit({ step: "delete", write, eventsOf: stepsOf });
  committer.logSteps(stepsOf(removed), "delete");
  await failpoint("delete: before the files go");
  return removed;
}

/** Never rejects, because the file sweep removes files that remain. */
async function deleteFilesOf(
  { deleteFiles, log }: RemoverDeps,
  removed: readonly Removed[],
): Promise<void> {
  const keys = removed.flatMap(({ storageKeys }) => storageKeys);
  if (keys.length === 0) return;
  await deleteFiles(keys).catch((error) =>
    log.warn(
      { err: error, files: keys.length },
      "outputs of deleted QueuedJobs were not deleted; the file sweep removes them",
    ),
  );
}

interface Removal extends RemoverDeps {
  /** Expired rows that could not be removed; they are skipped until this process ends. */
  broken: Set<string>;
}

/** Removes all in one statement; if a row makes it fail, removes them one by one. */
async function removeTogether(removal: Removal, finished: readonly Finished[]): Promise<Removed[]> {
  const write = () => removeFinished(removal.sql, finished, { wait: false });
  try {
    return await commitRemoval(removal, write);
  } catch (error) {
    if (error instanceof ServiceUnavailableError) throw error;
    return removeSingly(removal, finished);
  }
}

/** Skips each QueuedJob that cannot be removed. */
async function removeSingly(removal: Removal, finished: readonly Finished[]): Promise<Removed[]> {
  const removed: Removed[] = [];
  for (const one of finished) {
    const write = () => removeFinished(removal.sql, [one], { wait: false });
    try {
      removed.push(...(await commitRemoval(removal, write)));
    } catch (error) {
      if (error instanceof ServiceUnavailableError) throw error;
      removal.broken.add(one.id);
      removal.log.error({ err: error, queuedJobId: one.id }, "a QueuedJob cannot be removed");
    }
  }
  return removed;
}

/** A finished QueuedJob at the version that was read. */
export interface Finished {
  id: string;
  version: number;
}

export interface Removed {
  id: string;
  /** Null when its owner no longer has counters, and so no events. */
  step: Step | null;
  /** Keys of files to which no row refers any more. */
  storageKeys: string[];
}

/** Removes rows that are unchanged since they were read. `wait` also waits for locked rows. */
export function removeFinished(
  sql: Sql,
  finished: readonly Finished[],
  { wait }: { wait: boolean },
): Promise<Removed[]> {
  // Locks rows in the order of their ids, so that two of these statements never deadlock.
  return remove(
    sql,
    sql`
    select q.id from (
      select * from unnest(${finished.map(({ id }) => id)}::uuid[],
        ${finished.map(({ version }) => version)}::int[])
        as i(item_id, item_version) order by item_id) i
    cross join lateral (
      select id, group_id from queued_jobs
      where id = i.item_id and version = i.item_version and status = any(${[...FINISHED_STATUSES]})
      for update ${wait ? sql`` : sql`skip locked`}) q
    where q.group_id is null or not ${isPinned(sql, { wait })}`,
  );
}

export interface ExpiredQuery {
  limit: number;
  /** Ids to skip. */
  except: readonly string[];
}

/** Removes expired QueuedJobs, oldest first; several processes share the work. */
function removeExpired(sql: Sql, query: ExpiredQuery): Promise<Removed[]> {
  return remove(sql, sql`${expired(sql, query)} for update skip locked`);
}

/** Finds the rows that `removeExpired` would remove. */
export function findExpired(sql: Sql, query: ExpiredQuery): Promise<Finished[]> {
  return sql<Finished[]>`${expired(sql, query)}`;
}

function expired(sql: Sql, { limit, except }: ExpiredQuery): Fragment {
  return sql`
    select id, version from queued_jobs
    where expires_at < now() and status = any(${[...FINISHED_STATUSES]})
      and id <> all(${[...except]}::uuid[])
    order by expires_at limit ${limit}`;
}

/**
 * `locked` selects and locks the rows. Their groups are locked afterwards, because events show the
 * counts of their step, and then the counters in the order of their owners. Rows from before the
 * count of recorded bytes subtract bytes that were never added, hence `greatest`.
 */
async function remove(sql: Sql, locked: Fragment): Promise<Removed[]> {
  const rows = await sql<(Omit<Removed, "step"> & Step)[]>`
    with l as materialized (${locked}),
    o as (
      select queued_job_id, array_agg(storage_key) as keys, sum(byte_size) as bytes
      from queued_job_outputs where queued_job_id in (select id from l) group by 1),
    t as (delete from queued_jobs q using l where q.id = l.id returning q.*),
    x as (
      delete from queued_job_events q using t where q.queued_job_id = t.id and q.user_id = t.user_id
      returning q.queued_job_id, q.bytes, q.seq),
    g as (select queued_job_id, sum(bytes) as bytes, max(seq) as last_seq from x group by 1),
    h as materialized (
      select m.* from (select distinct group_id from t order by 1) d cross join lateral (
        select * from job_groups where id = d.group_id and deleted_at is null
        for no key update) m),
    j as materialized (${withSnapshots(sql, sql`'[]'::jsonb`, {
      version: sql`t.version + 1`,
      more: sql`, t.finished_at`,
      member: sql`(select ${memberJson(sql)} from h g where g.id = t.group_id)`,
    })}),
    n as (
      select j.user_id, count(*)::int as removed, coalesce(sum(o.bytes), 0) as stored,
        sum(j.event_bytes - j.parameter_bytes - j.result_bytes - coalesce(g.bytes, 0)) as recorded
      from j left join o on o.queued_job_id = j.id left join g on g.queued_job_id = j.id
      group by j.user_id order by j.user_id),
    c as materialized (
      select n.* from n cross join lateral (select from user_streams u
        where u.user_id = n.user_id for no key update) u),
    s as (
      update user_streams u set last_seq = u.last_seq + c.removed,
        stored_bytes = u.stored_bytes - c.stored,
        recorded_bytes = greatest(0, u.recorded_bytes + c.recorded)
      from c where u.user_id = c.user_id returning u.user_id, u.last_seq - c.removed as base,
        u.pending),
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes,
        unreported, group_id)
      select j.user_id, s.base + row_number() over (partition by j.user_id
        order by j.id), j.id, 'DELETED', now(),
        j.snapshot, j.event_bytes, ${unreported(sql)},
        case when j.snapshot->'member' is not null then j.group_id end
      from j join s on s.user_id = j.user_id left join g on g.queued_job_id = j.id
        left join webhook_positions w on w.user_id = j.user_id left join webhook_receivers r on true
      returning queued_job_id, seq, at, type)
    select j.id, ${stepColumns(sql, "delete")},
      s.pending,
      coalesce(o.keys, '{}') as "storageKeys"
    from j left join s on s.user_id = j.user_id left join e on e.queued_job_id = j.id
    left join o on o.queued_job_id = j.id order by j.id`;
  return rows.map(({ id, storageKeys, ...step }) => ({
    id,
    storageKeys,
    step: step.seq === null ? null : step,
  }));
}

/** True if no webhook has reported the end of row `j`, for which DELETED then stands; else null. */
function unreported(sql: Sql): Fragment {
  return sql`case when w.user_id is null then nullif(j.finished_at > r.started_at, false)
    else nullif(w.seq < g.last_seq, false) end`;
}
