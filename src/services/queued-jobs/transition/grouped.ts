// The UPDATE of a status for rows of groups, one or many. In the same statement, waiting successors
// learn that a predecessor has finished, and the counts of the groups change. Lock order:
// QueuedJobs by id, groups, counters, photos. Ids in a group increase from predecessors to
// successors, so a step never waits for a row before one that it holds.
import type { Fragment, Sql } from "postgres";
import { GROUP_GONE } from "../../../db/refusals.js";
import {
  isFinished,
  TRANSITIONS,
  type QueuedJobStatus,
} from "../../../domain/queued-job-status.js";
import {
  briefLocks,
  groupJson,
  memberJson,
  NEVER_DUE,
  stepColumns,
  withSnapshots,
  type Step,
  type StepEffects,
} from "../statements.js";
import {
  lockedPhotos,
  recordedBy,
  refusals,
  unfinishedAfter,
  type ManyTransitionParts,
  type TransitionParts,
} from "./parts.js";

type GroupedParts = ManyTransitionParts & Pick<TransitionParts, "outputs">;

interface Row extends Step {
  effects: StepEffects | null;
}

/**
 * Makes the same step of many rows, all or none; null for a row whose guard does not hold. The
 * effects of the whole statement are in its first step. Waits for locked neighbours.
 */
export async function transitionGrouped(sql: Sql, parts: GroupedParts): Promise<(Step | null)[]> {
  const { event } = TRANSITIONS[parts.step];
  const outputs = parts.outputs ? sql`${parts.outputs.json}::jsonb` : sql`'[]'::jsonb`;
  const rows = await sql<Row[]>`
    with recursive ${lockedRows(sql, parts)},
    ${steppedRows(sql, parts)},
    ${steppedNeighbours(sql, parts)},
    ${steppedGroups(sql, parts)},
    t as materialized (${withMembers(sql, parts)}),
    j as materialized (${withSnapshots(sql, outputs, { member: sql`t.member` })}),
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
    ${parts.outputs ? sql`o as (${parts.outputs.record}),` : sql``}
    ${parts.needsPhotos ? sql`p as (${lockedPhotos(sql, sql`s.user_id = t.user_id`)}),` : sql``}
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes,
        group_id)
      select j.user_id, s.base + row_number() over (partition by j.user_id
        order by j.item_place), j.id, ${event}, now(), j.snapshot, j.event_bytes, j.group_id
      from j join s on s.user_id = j.user_id
      returning queued_job_id, seq, at, type)
    select ${stepColumns(sql, parts.step)}, ${unfinishedAfter(sql, parts.pending)} as pending,
      case when row_number() over (order by j.item_place) = 1 then ${effects(sql, parts)} end
        as effects,
      case when j.group_id is not null and j.member is null then refuse(${GROUP_GONE}) end as gone,
      ${refusals(sql, parts, sql`select count(*) from p where p.queued_job_id = j.id`)} as refused
    from j left join s on s.user_id = j.user_id left join e on e.queued_job_id = j.id`;
  const byId = new Map(rows.map((row) => [row.queuedJob.id, row]));
  return parts.ids.map((id) => byId.get(id) ?? null);
}

function finishes({ step }: GroupedParts): boolean {
  return isFinished(TRANSITIONS[step].to);
}

/** True if the step cancels what depends on the row, unless it runs anyway. */
function dooms({ step }: GroupedParts): boolean {
  return ["FAILED", "CANCELLED"].includes(TRANSITIONS[step].to);
}

/**
 * Reads the direct successors `d` of each row, and whether they run anyway. Rows are read one by
 * one, because the plan of a join may read a whole table.
 */
function successorsOf(sql: Sql, id: Fragment): Fragment {
  return sql`cross join lateral (
    select d.queued_job_id, q.runs_anyway from queued_job_predecessors d
    join queued_jobs q on q.id = d.queued_job_id where d.predecessor_id = ${id} offset 0) d`;
}

/**
 * `k`: the items and their neighbours `z`, locked in the order of their ids. A locked row shows its
 * latest version, so whether a step is allowed (`ok`) is computed after the lock. Rows of
 * queued_job_predecessors never change, so they need no lock.
 */
function lockedRows(sql: Sql, parts: GroupedParts): Fragment {
  const more = parts.more && {
    arrays: sql`, ${parts.more.arrays}`,
    columns: sql`, ${parts.more.columns}`,
  };
  const { from } = TRANSITIONS[parts.step];
  const isRetry = parts.step === "retry";
  const isEnd = finishes(parts);
  const none = sql``;
  const successors = sql`
    z(id, runs_anyway) as (
      select d.queued_job_id, d.runs_anyway from i ${successorsOf(sql, sql`i.item_id`)}
      ${
        dooms(parts)
          ? sql`union select d.queued_job_id, d.runs_anyway from z
            ${successorsOf(sql, sql`z.id`)} where not z.runs_anyway`
          : none
      }),`;
  const predecessors = sql`union select d.predecessor_id from i cross join lateral (
    select predecessor_id from queued_job_predecessors where queued_job_id = i.item_id offset 0) d`;
  return sql`
    i as materialized (
      select * from unnest((select ${parts.ids}::uuid[]) ${more?.arrays ?? none}) with ordinality
        as i(item_id ${more?.columns ?? none}, item_place)
      ${parts.brief ? sql`where ${briefLocks(sql)}` : none}),
    ${isEnd || isRetry ? successors : none}
    x as materialized (
      select r.row_id, i.* from (
        select item_id as row_id from i ${isEnd || isRetry ? sql`union select id from z` : none}
        ${isRetry ? predecessors : none}) r
      left join i on i.item_id = r.row_id order by r.row_id),
    k as materialized (
      select i.*, q.* from x i cross join lateral (
        select status as was, waiting_for as waited,
          i.item_id is not null and status = any(${[...from]})
            ${parts.where ? sql`and coalesce(${parts.where}, false)` : none} as ok
        from queued_jobs where id = i.row_id
        for no key update ${parts.skipLocked && !isEnd && !isRetry ? sql`skip locked` : none}) q)`;
}

/**
 * `u`: the items that take the step. PostgreSQL first checks the constraints of a row on its
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
    u as (
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
 * instead.
 */
function steppedNeighbours(sql: Sql, parts: GroupedParts): Fragment {
  const { to } = TRANSITIONS[parts.step];
  if (!isFinished(to) && parts.step !== "retry") return sql`w as (select null where false)`;
  const by = isFinished(to) ? sql`- f.items` : sql`+ f.items`;
  const needy = sql`not d.runs_anyway and exists (
    select from k where k.row_id = d.queued_job_id and k.was = 'PENDING' and k.waited > 0)`;
  const doomed = sql`
    m(id) as (
      select d.queued_job_id from u ${successorsOf(sql, sql`u.id`)} where ${needy}
      union select d.queued_job_id from m ${successorsOf(sql, sql`m.id`)} where ${needy}),`;
  return sql`${dooms(parts) ? doomed : sql``}
    f as materialized (
      select row_id, sum(items)::int as items, bool_or(doomed) as doomed, max(was) as was,
        max(waited) as waited, bool_or(ok) as ok
      from (
        select row_id, 0 as items, false as doomed, was, waited, ok from k
        union all select d.queued_job_id, 1, false, null, null, null
          from u ${successorsOf(sql, sql`u.id`)}
        ${dooms(parts) ? sql`union all select id, 0, true, null, null, null from m` : sql``}) r
      group by row_id),
    w as (
      update queued_jobs q set status = f.was, lease_until = null, finished_at = null,
        waiting_for = f.waited ${by}, updated_at = now(),
        cancelling = case when f.doomed then coalesce(q.cancelling, 'PREDECESSOR')
          else q.cancelling end,
        due_at = case when f.waited ${by} > 0 or q.cancelling is not null or f.doomed
          then q.due_at else greatest(q.run_at, clock_timestamp()) end
      from f
      where q.id = f.row_id and f.was = 'PENDING' and f.waited > 0 and not f.ok
        and (f.items > 0 or f.doomed)
      returning q.*)`;
}

/** `g`: the groups of the items, with counts that are computed from their locked rows. */
function steppedGroups(sql: Sql, parts: GroupedParts): Fragment {
  const { to } = TRANSITIONS[parts.step];
  const change = (status: QueuedJobStatus) =>
    sql`(${to === status ? sql`count(*)` : sql`0`} - count(*) filter (where was = ${status}))::int`;
  const isOver = sql`h.pending + h.started = 0`;
  return sql`
    h as materialized (
      select m.group_id, m.user_id, m.running, l.pending + m.pending as pending,
        l.started + m.started as started, l.succeeded + m.succeeded as succeeded,
        l.failed + m.failed as failed, l.cancelled + m.cancelled as cancelled
      from (
        select group_id, user_id, ${change("PENDING")} as pending, ${change("STARTED")} as started,
          ${change("SUCCESS")} as succeeded, ${change("FAILED")} as failed,
          ${change("CANCELLED")} as cancelled, ${progressOfOthers(sql)} as running
        from u where group_id is not null group by group_id, user_id order by group_id) m
      cross join lateral (
        select pending, started, succeeded, failed, cancelled from job_groups g
        where g.user_id = m.user_id and g.id = m.group_id for no key update) l),
    g as (
      update job_groups g set pending = h.pending, started = h.started, succeeded = h.succeeded,
        failed = h.failed, cancelled = h.cancelled,
        finished_at = case when ${isOver} then now() end,
        expires_at = case when ${isOver}
          then now() + ${parts.ttlSeconds ?? null}::float8 * interval '1 second' end
      from h where g.user_id = h.user_id and g.id = h.group_id and g.deleted_at is null
      returning g.*, h.running)`;
}

/**
 * Sums the progress of the running members of a group that do not take this step. The status is no
 * constant, so that no index of all running rows fits.
 */
function progressOfOthers(sql: Sql): Fragment {
  return sql`(select coalesce(sum(q.progress), 0) from queued_jobs q
    where q.group_id = u.group_id and q.status = (select 'STARTED')
      and q.id <> all(array(select row_id from k where ok)))`;
}

/**
 * Adds to each row its place in its group, with the counts after its own step: those of the group
 * without the changes of later rows.
 */
function withMembers(sql: Sql, parts: GroupedParts): Fragment {
  const { to } = TRANSITIONS[parts.step];
  const later = (status: QueuedJobStatus) => sql`coalesce(sum(
    ${to === status ? sql`1` : sql`0`} - (t.was = ${status})::int) over later, 0)`;
  const count = (column: Fragment, status: QueuedJobStatus) =>
    sql`(${column} - ${later(status)})::int`;
  const counts = {
    pending: count(sql`g.pending`, "PENDING"),
    started: count(sql`g.started`, "STARTED"),
    succeeded: count(sql`g.succeeded`, "SUCCESS"),
    failed: count(sql`g.failed`, "FAILED"),
    cancelled: count(sql`g.cancelled`, "CANCELLED"),
  };
  const { succeeded, failed, cancelled } = counts;
  const progress = sql`(${succeeded} + ${failed} + ${cancelled} + g.running) / g.total`;
  // The last row of a group may have ended it.
  const showsEnd = sql`lead(t.id) over in_order is null`;
  const group = sql`${groupJson(sql, { counts, showsEnd })}
    || jsonb_build_object('progress', ${progress})`;
  return sql`
    select t.*, case when g.id is not null then ${memberJson(sql, { group })} end
      as member
    from u t left join g on g.id = t.group_id
    window in_order as (partition by t.group_id order by t.item_place),
      later as (partition by t.group_id order by t.item_place desc
        rows between unbounded preceding and 1 preceding)`;
}

/** Reads the work that must follow: hints of due successors, and groups with rows to cancel. */
function effects(sql: Sql, parts: GroupedParts): Fragment {
  if (!finishes(parts)) return sql`null::jsonb`;
  return sql`jsonb_build_object(
    'due', coalesce((select jsonb_agg(jsonb_build_object('run', w.run, 'requestId', w.request_id,
      'pending', s.pending, 'queuedJob', jsonb_build_object('id', w.id, 'userId', w.user_id,
        'jobName', w.job_name, 'priority', w.priority, 'runAt', rfc3339(w.run_at),
        'member', '{}'::jsonb))
        order by w.id)
      from w join s on s.user_id = w.user_id where w.waiting_for = 0 and w.cancelling is null),
      '[]'::jsonb),
    'cancelling', coalesce((select jsonb_agg(distinct w.group_id) from w
      where w.cancelling is not null), '[]'::jsonb))`;
}
