// Finished QueuedJobs are removed, one or many in one statement: rows, outputs and earlier events
// go, and DELETED is the one event that is left of each.
import type { Fragment, Sql } from "postgres";
import { FINISHED_STATUSES } from "../../domain/queued-job-status.js";
import { stepColumns, withSnapshots, type Step } from "./statements.js";

/** A finished one at the version that was read. */
export interface Finished {
  id: string;
  version: number;
}

export interface Removed {
  id: string;
  /** Null when its owner has no counters any more, and so no events. */
  step: Step | null;
  /** The keys of the files that no row names any more. */
  storageKeys: string[];
}

/** Those of them that are still as they were read. `wait`: also rows that are locked elsewhere. */
export function removeFinished(
  sql: Sql,
  finished: readonly Finished[],
  { wait }: { wait: boolean },
): Promise<Removed[]> {
  // In the order of their ids, so that no two of these wait for each other.
  return remove(
    sql,
    sql`
    select q.id from (
      select * from unnest(${finished.map(({ id }) => id)}::uuid[],
        ${finished.map(({ version }) => version)}::int[])
        as i(item_id, item_version) order by item_id) i
    cross join lateral (
      select id from queued_jobs
      where id = i.item_id and version = i.item_version and status = any(${[...FINISHED_STATUSES]})
      for update ${wait ? sql`` : sql`skip locked`}) q`,
  );
}

export interface ExpiredQuery {
  limit: number;
  /** Ids that are passed by. */
  except: readonly string[];
}

/** Those that have been kept long enough, oldest first; several processes share the work. */
export function removeExpired(sql: Sql, query: ExpiredQuery): Promise<Removed[]> {
  return remove(sql, sql`${expired(sql, query)} for update skip locked`);
}

/** What `removeExpired` would take. */
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
 * `locked` selects the rows and locks them; counters follow in the order of their owners. Rows
 * from before recorded bytes were counted give back what was never counted, hence `greatest`.
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
      returning q.queued_job_id, q.bytes),
    g as (select queued_job_id, sum(bytes) as bytes from x group by 1),
    j as materialized (${withSnapshots(sql, sql`'[]'::jsonb`, sql`t.version + 1`)}),
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
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
      select j.user_id, s.base + row_number() over (partition by j.user_id
        order by j.id), j.id, 'DELETED', now(),
        j.snapshot, j.event_bytes
      from j join s on s.user_id = j.user_id returning queued_job_id, seq, at)
    select j.id, e.seq::float8 as seq, rfc3339(e.at) as at, ${stepColumns(sql, "delete")},
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
