// The only UPDATE of a status: one statement for a single row, one for many rows. The second one
// sorts and groups, so a single claim takes 980 µs in it instead of 860. See
// bench/load/lone-statements. Rows of groups need a third one, which also steps their neighbours.
import type { Fragment, Sql } from "postgres";
import { sqlState, violatedConstraint } from "../../db/database.js";
import { OVER_QUOTA } from "../../db/refusals.js";
import { TRANSITIONS } from "../../domain/queued-job-status.js";
import { transitionGrouped } from "./transition/grouped.js";
import { briefLocks, stepColumns, withSnapshots, type Step } from "./statements.js";
import {
  lockedPhotos,
  recordedBy,
  refusals,
  unfinishedAfter,
  update,
  type ManyTransitionParts,
  type TransitionParts,
} from "./transition/parts.js";

/**
 * Makes one step of one row. Null when the guard does not hold, because another process was first,
 * or when the account is closed.
 */
export async function transition(sql: Sql, parts: TransitionParts): Promise<Step | null> {
  try {
    return await withGroups(
      parts.grouped,
      () => record(sql, parts),
      async () => (await transitionGrouped(sql, { ...parts, ids: [parts.id] }))[0] ?? null,
    );
  } catch (error) {
    if (sqlState(error) === OVER_QUOTA && (await isOfClosedAccount(sql, parts.where))) return null;
    throw error;
  }
}

/**
 * Tries the statement for rows without a group first, unless a row is known to have one. PostgreSQL
 * refuses it for a row of a group. Beware: in a transaction, the refusal ends the transaction.
 */
async function withGroups<T>(
  grouped: boolean | undefined,
  plain: () => Promise<T>,
  withGroup: () => Promise<T>,
): Promise<T> {
  if (grouped) return withGroup();
  try {
    return await plain();
  } catch (error) {
    if (violatedConstraint(error) !== "queued_jobs_grouped_version") throw error;
    return withGroup();
  }
}

/** A closed account has no counters, which the statement cannot distinguish from a full quota. */
async function isOfClosedAccount(sql: Sql, where: Fragment): Promise<boolean> {
  const rows = await sql`
    select from queued_jobs where ${where} and exists (select from user_streams u
      where u.user_id = queued_jobs.user_id)`;
  return rows.length === 0;
}

async function record(sql: Sql, parts: TransitionParts): Promise<Step | null> {
  const { from, event } = TRANSITIONS[parts.step];
  const outputs = parts.outputs ? sql`${parts.outputs.json}::jsonb` : sql`'[]'::jsonb`;
  const [step] = await sql<Step[]>`
    with t as (
      ${update(sql, parts)}
      where status = any(${[...from]}) and ${parts.where} returning *),
    j as materialized (${withSnapshots(sql, outputs)}),
    s as (
      update user_streams u set last_seq = u.last_seq + 1, pending = u.pending + ${parts.pending},
        stored_bytes = u.stored_bytes + ${parts.outputs?.bytes ?? 0},
        recorded_bytes = u.recorded_bytes + ${recordedBy(sql, parts.step)}
      from j where u.user_id = j.user_id
      returning u.last_seq, u.pending, u.stored_bytes, u.recorded_bytes),
    ${parts.outputs ? sql`o as (${parts.outputs.record}),` : sql``}
    ${parts.needsPhotos ? sql`p as (${lockedPhotos(sql)}),` : sql``}
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
      select j.user_id, s.last_seq, j.id, ${event}, now(), j.snapshot, j.event_bytes from j, s
      returning seq, at, type)
    select ${stepColumns(sql, parts.step)}, s.pending,
      ${refusals(sql, parts, sql`select count(*) from p`)} as refused
    from j left join s on true left join e on true`;
  return step ?? null;
}

/**
 * Makes the same step of many rows in one statement, all or none. Null for a row whose guard does
 * not hold.
 * A closed account has no counter and fails the statement. The rows are then sent one by one, and
 * those of that account return null. Looking up the counter of each row would cost a third of the
 * statement. The reason is that the versions of a busy counter are slow to read.
 * Rows are locked in the order of their ids, then counters in the order of theirs. Two of these
 * statements therefore never deadlock. Rows are read one by one (lateral). A plan from when the
 * table was small would otherwise read the whole table. Events are numbered in the order of the
 * items.
 */
export function transitionMany(sql: Sql, parts: ManyTransitionParts): Promise<(Step | null)[]> {
  return withGroups(
    parts.grouped,
    () => recordMany(sql, parts),
    () => transitionGrouped(sql, parts),
  );
}

async function recordMany(sql: Sql, parts: ManyTransitionParts): Promise<(Step | null)[]> {
  const more = parts.more && {
    arrays: sql`, ${parts.more.arrays}`,
    columns: sql`, ${parts.more.columns}`,
  };
  const { from, event } = TRANSITIONS[parts.step];
  const steps = await sql<Step[]>`
    with i as materialized (
      select * from unnest(${parts.ids}::uuid[] ${more?.arrays ?? sql``}) with ordinality as
        i(item_id ${more?.columns ?? sql``}, item_place)
      ${parts.brief ? sql`where ${briefLocks(sql)}` : sql``} order by item_id),
    l as materialized (
      select i.* from i cross join lateral (
        select from queued_jobs where id = i.item_id
          and status = any(${[...from]}) ${parts.where ? sql`and ${parts.where}` : sql``}
        for no key update ${parts.skipLocked ? sql`skip locked` : sql``}) q),
    t as (
      ${update(sql, parts)}
      from l i where id = any(array(select item_id from l)) and id = i.item_id
      returning queued_jobs.*, i.item_place),
    j as materialized (${withSnapshots(sql, sql`'[]'::jsonb`, { more: sql`, t.item_place` })}),
    n as (
      select user_id, count(*)::int as made, sum(${recordedBy(sql, parts.step)}) as bytes
      from j group by user_id order by user_id),
    c as materialized (
      select n.* from n cross join lateral (select from user_streams u
        where u.user_id = n.user_id for no key update) u),
    s as (
      update user_streams u set last_seq = u.last_seq + c.made,
        pending = u.pending + ${parts.pending} * c.made,
        recorded_bytes = u.recorded_bytes + c.bytes
      from c where u.user_id = any(array(select user_id from c)) and u.user_id = c.user_id
      returning u.user_id, u.last_seq - c.made as base, u.pending
        ${parts.pending === 1 ? sql`, u.last_seq, u.recorded_bytes` : sql``}),
    ${parts.needsPhotos ? sql`p as (${lockedPhotos(sql, sql`s.user_id = t.user_id`)}),` : sql``}
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
      select j.user_id, s.base + row_number() over (partition by j.user_id
        order by j.item_place), j.id,
        ${event}, now(), j.snapshot, j.event_bytes
      from j join s on s.user_id = j.user_id
      returning queued_job_id, seq, at, type)
    select ${stepColumns(sql, parts.step)}, ${unfinishedAfter(sql, parts.pending)} as pending,
      ${refusals(sql, parts, sql`select count(*) from p where p.queued_job_id = j.id`)} as refused
    from j left join s on s.user_id = j.user_id left join e on e.queued_job_id = j.id`;
  const byId = new Map(steps.map((step) => [step.queuedJob.id, step]));
  return parts.ids.map((id) => byId.get(id) ?? null);
}
