// The counts of groups in a step of their members: every event shows the counts after its step.
import type { Fragment, Sql } from "postgres";
import { TRANSITIONS, type QueuedJobStatus } from "../../../domain/queued-job-status.js";
import { groupCounts, groupJson, memberJson, type GroupCounts } from "../statements.js";
import { finishes, type GroupedParts } from "./parts.js";

/**
 * The counts of the group `g` after `all` more rows have taken the step; `first` are those of them
 * that had the first status from which the step is allowed.
 */
function countsAfter(
  sql: Sql,
  { step }: GroupedParts,
  { all, first }: { all: Fragment; first: Fragment },
): GroupCounts {
  const { pending, started, succeeded, failed, cancelled } = groupCounts(sql);
  const { to } = TRANSITIONS[step];
  const [left, alsoLeft]: readonly QueuedJobStatus[] = TRANSITIONS[step].from;
  const after = (count: Fragment, status: QueuedJobStatus) => {
    if (status === to) return sql`(${count} + ${all})`;
    if (status === alsoLeft) return sql`(${count} - (${all} - ${first}))`;
    if (status === left) return sql`(${count} - ${alsoLeft ? first : all})`;
    return count;
  };
  return {
    pending: after(pending, "PENDING"),
    started: after(started, "STARTED"),
    succeeded: after(succeeded, "SUCCESS"),
    failed: after(failed, "FAILED"),
    cancelled: after(cancelled, "CANCELLED"),
  };
}

/** `g`: the groups of the items, with counts that are computed from their locked rows. */
export function steppedGroups(sql: Sql, parts: GroupedParts): Fragment {
  const [left] = TRANSITIONS[parts.step].from;
  const counts = countsAfter(sql, parts, { all: sql`m.items`, first: sql`m.first` });
  const { pending, started, succeeded, failed, cancelled } = counts;
  const atEnd = (value: Fragment) =>
    finishes(parts) ? sql`case when h.pending + h.started = 0 then ${value} end` : sql`null`;
  return sql`
    h as materialized (
      select m.group_id, m.user_id, m.running, ${pending} as pending, ${started} as started,
        ${succeeded} as succeeded, ${failed} as failed, ${cancelled} as cancelled
      from (
        select group_id, user_id, count(*)::int as items,
          count(*) filter (where was = ${left})::int as first, ${progressOfOthers(sql)} as running
        from t where group_id is not null group by group_id, user_id order by group_id) m
      cross join lateral (
        select pending, started, succeeded, failed, cancelled from job_groups g
        where g.user_id = m.user_id and g.id = m.group_id for no key update) g),
    g as (
      update job_groups g set pending = h.pending, started = h.started, succeeded = h.succeeded,
        failed = h.failed, cancelled = h.cancelled, finished_at = ${atEnd(sql`now()`)},
        expires_at = ${atEnd(
          sql`now() + ${parts.ttlSeconds ?? null}::float8 * interval '1 second'`,
        )}
      from h where g.user_id = h.user_id and g.id = h.group_id and g.deleted_at is null
      returning g.*, h.running)`;
}

/**
 * Sums the progress of the running members of a group that do not take this step. The status is no
 * constant, so that no index of all running rows fits.
 */
function progressOfOthers(sql: Sql): Fragment {
  return sql`(select coalesce(sum(q.progress), 0) from queued_jobs q
    where q.group_id = t.group_id and q.status = (select 'STARTED')
      and q.id <> all(array(select row_id from k where ok)))`;
}

/**
 * Gives each row of `t` its place in its group, with the counts after its own step: those of the
 * group without the changes of later rows.
 */
export function membersWithCounts(sql: Sql, parts: GroupedParts) {
  const isMany = parts.ids.length > 1;
  const [left] = TRANSITIONS[parts.step].from;
  const later = { all: sql`(-t.later)`, first: sql`(-t.first_later)` };
  const counts = isMany ? countsAfter(sql, parts, later) : groupCounts(sql);
  const { succeeded, failed, cancelled } = counts;
  const progress = sql`(${succeeded} + ${failed} + ${cancelled} + g.running) / g.total`;
  // The last row of a group may have ended it.
  const showsEnd = isMany ? sql`t.later = 0` : undefined;
  const group = groupJson(sql, { counts, showsEnd, progress });
  const inOrder = sql`(
    select t.*, count(*) over later as later,
      count(*) filter (where t.was = ${left}) over later as first_later
    from t window later as (partition by t.group_id order by t.item_place desc
      rows between unbounded preceding and 1 preceding)) t`;
  return {
    member: sql`case when g.id is not null then ${memberJson(sql, { group })} end`,
    from: sql`${isMany ? inOrder : sql`t`} left join g on g.id = t.group_id`,
    more: sql`, t.item_place`,
  };
}
