// The UPDATE of a status for rows of groups, one or many. In the same statement, waiting successors
// learn that a predecessor has finished, and the counts of the groups change. Lock order:
// QueuedJobs by id, groups, counters, photos. Ids in a group increase from predecessors to
// successors, so a step never waits for a row before one that it holds.
// PostgreSQL spends most of a statement on preparing its expressions, so the text has no more than
// its step and its number of rows need. See bench/load/lone-statements.
import type { Fragment, Sql } from "postgres";
import { GROUP_GONE } from "../../../db/refusals.js";
import { isFinished, TRANSITIONS } from "../../../domain/queued-job-status.js";
import { briefLocks, NEVER_DUE, stepColumns, withSnapshots, type Step } from "../statements.js";
import { membersWithCounts, steppedGroups } from "./group-counts.js";
import {
  finishes,
  lockedPhotos,
  recordedBy,
  refusals,
  unfinishedAfter,
  type GroupedParts,
} from "./parts.js";

/**
 * Makes the same step of many rows, all or none; null for a row whose guard does not hold. The
 * effects of the whole statement are in its first step. Waits for locked neighbours.
 */
export async function transitionGrouped(sql: Sql, parts: GroupedParts): Promise<(Step | null)[]> {
  const { event } = TRANSITIONS[parts.step];
  const outputs = parts.outputs ? sql`${parts.outputs.json}::jsonb` : sql`'[]'::jsonb`;
  const isMany = parts.ids.length > 1;
  const none = sql``;
  const rows = await sql<Step[]>`
    with ${dooms(parts) ? sql`recursive` : none} ${lockedRows(sql, parts)},
    ${steppedRows(sql, parts)},
    ${hasNeighbours(parts) ? sql`${steppedNeighbours(sql, parts)},` : none}
    ${steppedGroups(sql, parts)},
    j as materialized (${withSnapshots(sql, outputs, membersWithCounts(sql, parts))}),
    n as (
      select user_id, count(*)::int as made, sum(${recordedBy(sql, parts.step)}) as bytes
      from j group by user_id order by user_id),
    c as materialized (
      select n.*, u.* from n cross join lateral (
        select last_seq, pending, stored_bytes, recorded_bytes from user_streams u
        where u.user_id = n.user_id for no key update) u),
    s as (
      update user_streams u set last_seq = c.last_seq + c.made,
        pending = c.pending + ${parts.pending} * c.made,
        stored_bytes = c.stored_bytes + ${parts.outputs?.bytes ?? 0},
        recorded_bytes = c.recorded_bytes + c.bytes
      from c where u.user_id = any(array(select user_id from c)) and u.user_id = c.user_id
      returning u.user_id, u.last_seq - c.made as base, u.pending, u.last_seq, u.stored_bytes,
        u.recorded_bytes),
    ${parts.outputs ? sql`o as (${parts.outputs.record}),` : none}
    ${parts.needsPhotos ? sql`p as (${lockedPhotos(sql, sql`s.user_id = t.user_id`)}),` : none}
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes,
        group_id)
      select j.user_id, s.base + ${
        isMany ? sql`row_number() over (partition by j.user_id order by j.item_place)` : sql`1`
      }, j.id, ${event}, now(), j.snapshot, j.event_bytes, j.group_id
      from j join s on s.user_id = j.user_id
      returning queued_job_id, seq, at, type)
    select ${stepColumns(sql, parts.step)}, ${unfinishedAfter(sql, parts.pending)} as pending,
      ${finishes(parts) ? effects(sql) : none}
      case when j.group_id is not null and j.member is null then refuse(${GROUP_GONE}) end as gone,
      ${refusals(sql, parts, sql`select count(*) from p where p.queued_job_id = j.id`)} as refused
    from j left join s on s.user_id = j.user_id left join e on e.queued_job_id = j.id`;
  const byId = new Map(rows.map((row) => [row.queuedJob.id, row]));
  return parts.ids.map((id) => byId.get(id) ?? null);
}

/** True if the step cancels what depends on the row, unless it runs anyway. */
function dooms({ step }: GroupedParts): boolean {
  return ["FAILED", "CANCELLED"].includes(TRANSITIONS[step].to);
}

/** True if the step changes for how many rows a waiting row waits. */
function hasNeighbours(parts: GroupedParts): boolean {
  return finishes(parts) || parts.step === "retry";
}

/**
 * Reads the direct successors `d` of each row. Rows are read one by one, because the plan of a join
 * may read a whole table.
 */
function successorsOf(sql: Sql, id: Fragment): Fragment {
  return sql`cross join lateral (
    select queued_job_id from queued_job_predecessors where predecessor_id = ${id} offset 0) d`;
}

/**
 * `k`: the items and their neighbours, locked in the order of their ids. A locked row shows its
 * latest version, so whether a step is allowed (`ok`) is computed after the lock. Rows of
 * queued_job_predecessors never change, so they need no lock. `z` are the successors, and with a step
 * that dooms them also the indirect ones.
 */
function lockedRows(sql: Sql, parts: GroupedParts): Fragment {
  const more = parts.more && {
    arrays: sql`, ${parts.more.arrays}`,
    columns: sql`, ${parts.more.columns}`,
  };
  const { from } = TRANSITIONS[parts.step];
  const none = sql``;
  const items = sql`
    select * from unnest((select ${parts.ids}::uuid[]) ${more?.arrays ?? none}) with ordinality
      as i(item_id ${more?.columns ?? none}, item_place)
    ${parts.brief ? sql`where ${briefLocks(sql)}` : none}`;
  const locked = (rows: Fragment, skipLocked: boolean) => sql`
    k as materialized (
      select i.*, q.* from (${rows}) i cross join lateral (
        select status as was, waiting_for as waited ${dooms(parts) ? sql`, runs_anyway` : none},
          i.item_id is not null and status = any(${[...from]})
            ${parts.where ? sql`and coalesce(${parts.where}, false)` : none} as ok
        from queued_jobs where id = i.row_id
        for no key update ${skipLocked ? sql`skip locked` : none}) q)`;
  if (!hasNeighbours(parts))
    return locked(
      sql`select i.item_id as row_id, i.* from (${items}) i order by item_id`,
      parts.skipLocked ?? false,
    );
  const indirect = sql`
    union select d.queued_job_id from z
      cross join lateral (
        select from queued_jobs where id = z.id and not runs_anyway offset 0) q
      ${successorsOf(sql, sql`z.id`)}`;
  const predecessors = sql`union select d.predecessor_id from i cross join lateral (
    select predecessor_id from queued_job_predecessors where queued_job_id = i.item_id offset 0) d`;
  const rows = sql`
    select r.row_id, i.* from (
      select item_id as row_id from i
      union select id from z
      ${parts.step === "retry" ? predecessors : none}) r
    left join i on i.item_id = r.row_id order by r.row_id`;
  return sql`
    i as materialized (${items}),
    z(id) as (
      select d.queued_job_id from i ${successorsOf(sql, sql`i.item_id`)}
      ${dooms(parts) ? indirect : none}),
    ${locked(rows, false)}`;
}

/**
 * `t`: the items that take the step. PostgreSQL first checks the constraints of a row on its
 * version from before the lock. So a step also sets columns that are right in the locked version.
 */
function steppedRows(sql: Sql, { step, set }: GroupedParts): Fragment {
  const retried = sql`, cancelling = null, lease_until = null, waiting_for = coalesce(r.waits, 0),
    due_at = case when r.waits > 0 then ${NEVER_DUE}::timestamptz else now() end`;
  // A retried row waits for its unfinished predecessors, and for those that are retried with it.
  const waits = sql`
    r as materialized (
      select d.queued_job_id, count(*)::int as waits from queued_job_predecessors d
      join k on k.row_id = d.predecessor_id and (k.ok or k.was in ('PENDING', 'STARTED'))
      where d.queued_job_id in (select row_id from k where ok) group by 1),`;
  const isRetry = step === "retry";
  const { to } = TRANSITIONS[step];
  return sql`${isRetry ? waits : sql``}
    t as (
      update queued_jobs set status = ${to}, version = version + 1,
        grouped_version = case when group_id is not null then version + 1 end, updated_at = now()
        ${isFinished(to) ? sql`, waiting_for = 0` : sql``} ${isRetry ? retried : sql``} ${set}
      from k i ${isRetry ? sql`left join r on r.queued_job_id = i.row_id` : sql``}
      where queued_jobs.id = any(array(select row_id from k where ok)) and queued_jobs.id = i.row_id
        and i.ok
      returning queued_jobs.*, i.item_place, i.was)`;
}

/**
 * `w`: successors that wait for an item. One that waits for nothing more is due. When the item has
 * not succeeded, what waits for it and needs it (`m`), also indirectly, is going to be cancelled
 * instead. `f` unites its sources and groups them, because a join of thousands of rows that
 * PostgreSQL expects to be few would read all of one for each of the other.
 */
function steppedNeighbours(sql: Sql, parts: GroupedParts): Fragment {
  const by = finishes(parts) ? sql`- f.items` : sql`+ f.items`;
  const needy = sql`exists (
    select from k where k.row_id = d.queued_job_id and k.was = 'PENDING' and k.waited > 0
      and not k.runs_anyway)`;
  const doomed = {
    rows: sql`
      m(id) as (
        select d.queued_job_id from t ${successorsOf(sql, sql`t.id`)} where ${needy}
        union select d.queued_job_id from m ${successorsOf(sql, sql`m.id`)} where ${needy}),`,
    found: sql`union all select id, 0, null, null, null, true from m`,
    set: sql`, cancelling = case when f.doomed then coalesce(q.cancelling, 'PREDECESSOR')
      else q.cancelling end`,
  };
  const dooming = dooms(parts) ? doomed : null;
  const none = sql``;
  return sql`${dooming?.rows ?? none}
    f as materialized (
      select row_id, sum(items)::int as items, max(was) as was, max(waited) as waited,
        bool_or(ok) as ok, bool_or(doomed) as doomed
      from (
        select row_id, 0 as items, was, waited, ok, false as doomed from k
        union all select d.queued_job_id, 1, null, null, null, false
          from t ${successorsOf(sql, sql`t.id`)}
        ${dooming?.found ?? none}) r
      group by row_id),
    w as (
      update queued_jobs q set status = f.was, lease_until = null, finished_at = null,
        waiting_for = f.waited ${by}, updated_at = now() ${dooming?.set ?? none},
        due_at = case when f.waited ${by} > 0 or q.cancelling is not null
          ${dooming ? sql`or f.doomed` : none} then q.due_at
          else greatest(q.run_at, clock_timestamp()) end
      from f
      where q.id = f.row_id and f.was = 'PENDING' and f.waited > 0 and not f.ok
        and (f.items > 0 or f.doomed)
      returning q.id, q.user_id, q.job_name, q.priority, q.run_at, q.run, q.request_id, q.group_id,
        q.waiting_for, q.cancelling)`;
}

/**
 * Reads the work that must follow, once for the statement: hints of due successors, and groups with
 * rows to cancel.
 */
function effects(sql: Sql): Fragment {
  return sql`case when j.item_place = (select min(item_place) from j) then jsonb_build_object(
    'due', coalesce((select jsonb_agg(jsonb_build_object('run', w.run, 'requestId', w.request_id,
      'pending', s.pending, 'queuedJob', jsonb_build_object('id', w.id, 'userId', w.user_id,
        'jobName', w.job_name, 'priority', w.priority, 'runAt', rfc3339(w.run_at),
        'member', '{}'::jsonb))
        order by w.id)
      from w join s on s.user_id = w.user_id where w.waiting_for = 0 and w.cancelling is null),
      '[]'::jsonb),
    'cancelling', coalesce((select jsonb_agg(distinct w.group_id) from w
      where w.cancelling is not null), '[]'::jsonb)) end as effects,`;
}
