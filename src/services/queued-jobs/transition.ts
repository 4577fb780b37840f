// The only UPDATE of a status: one statement for a single row, one for many rows. The second one
// sorts and groups, so a single claim takes 980 µs in it instead of 860. See
// bench/load/lone-statements.
import type { Fragment, Sql } from "postgres";
import { sqlState } from "../../db/database.js";
import { OVER_QUOTA, OVER_RECORDED, PHOTO_GONE } from "../../db/refusals.js";
import { TRANSITIONS } from "../../domain/queued-job-status.js";
import { briefLocks, stepColumns, withSnapshots, type Step } from "./statements.js";

export interface TransitionParts {
  /** The name of the step, which determines the statuses before and after it and the event. */
  step: Exclude<keyof typeof TRANSITIONS, "enqueue" | "delete">;
  /** Selects the row, with all other conditions. */
  where: Fragment;
  /** Columns that change besides status and version; begins with a comma. */
  set: Fragment;
  /** Change of the owner's number of unfinished QueuedJobs. */
  pending: -1 | 0 | 1;
  /**
   * Maximum unfinished QueuedJobs of the owner; above it, the whole statement fails with
   * OVER_QUOTA.
   */
  maxPending?: number;
  /**
   * Maximum recorded bytes of the owner; above it, the whole statement fails with OVER_RECORDED.
   */
  maxRecordedBytes?: number | undefined;
  /** Requires all photos to exist; otherwise the whole statement fails with PHOTO_GONE. */
  needsPhotos?: boolean;
  /** Outputs as events show them, and an expression that records them. */
  outputs?: {
    json: string;
    bytes: number;
    record: Fragment;
    /** Maximum bytes of the owner's files; above it, the whole statement fails with OVER_QUOTA. */
    maxStoredBytes: number;
  };
}

/**
 * Makes one step of one row. Null when the guard does not hold, because another process was first,
 * or when the account is closed.
 */
export async function transition(sql: Sql, parts: TransitionParts): Promise<Step | null> {
  try {
    return await record(sql, parts);
  } catch (error) {
    if (sqlState(error) === OVER_QUOTA && (await isOfClosedAccount(sql, parts.where))) return null;
    throw error;
  }
}

/** A closed account has no counters, which the statement cannot distinguish from a full quota. */
async function isOfClosedAccount(sql: Sql, where: Fragment): Promise<boolean> {
  const rows = await sql`
    select from queued_jobs where ${where} and exists (select from user_streams u
      where u.user_id = queued_jobs.user_id)`;
  return rows.length === 0;
}

/** Updates the row with `set` and with the columns that change in every step. */
function update(sql: Sql, { step, set }: Pick<TransitionParts, "step" | "set">): Fragment {
  return sql`update queued_jobs set status = ${TRANSITIONS[step].to}, version = version + 1,
    updated_at = now() ${set}`;
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
 * Makes the statement fail when a counter is missing or above its limit, or when a photo is gone.
 * `photoCount` counts the locked photos of the row.
 */
function refusals(
  sql: Sql,
  {
    maxPending,
    maxRecordedBytes,
    needsPhotos,
    outputs,
  }: Pick<TransitionParts, "maxPending" | "maxRecordedBytes" | "needsPhotos" | "outputs">,
  photoCount: Fragment,
): Fragment {
  const none = sql``;
  return sql`case
    when e.seq is null then refuse(${OVER_QUOTA})
    ${
      maxPending === undefined
        ? none
        : sql`when s.pending > ${maxPending}
    then refuse(${OVER_QUOTA})`
    }
    ${
      outputs
        ? sql`when s.stored_bytes > ${outputs.maxStoredBytes}
    then refuse(${OVER_QUOTA})`
        : none
    }
    ${
      maxRecordedBytes === undefined
        ? none
        : sql`
    when s.recorded_bytes > ${maxRecordedBytes} then refuse(${OVER_RECORDED})`
    }
    ${
      needsPhotos
        ? sql`
    when (${photoCount}) <> j.photo_count then refuse(${PHOTO_GONE})`
        : none
    } end`;
}

/** Recorded bytes that a step adds for a row of `j`: its event, and a result if it succeeds. */
function recordedBy(sql: Sql, step: TransitionParts["step"]): Fragment {
  return step === "succeed" ? sql`j.event_bytes + j.result_bytes` : sql`j.event_bytes`;
}

/**
 * Locks the photos of the row `t` against deletion. The counter `s` is locked first, in the same
 * order as the deletion of a photo. Reading links is not enough: links and photos may go while this
 * statement waits for the counter.
 */
function lockedPhotos(sql: Sql, ofOwner = sql`true`): Fragment {
  return sql`select l.queued_job_id from t join s on ${ofOwner}
    join queued_job_photos l on l.queued_job_id = t.id
    join photos x on x.id = l.photo_id for key share of x`;
}

/**
 * `where` and `set` refer to the row as in `transition`, and may use the columns of the item `i`.
 */
export interface ManyTransitionParts extends Omit<TransitionParts, "where" | "outputs"> {
  where?: Fragment;
  ids: string[];
  /** Further values of each item: arrays as long as `ids`, and the names of their columns. */
  more?: { arrays: Fragment; columns: Fragment };
  /**
   * Makes a statement with rows of several users wait only briefly for a lock, then fail as a
   * whole.
   */
  brief?: true;
  /** Treats a row that another process has locked like a row whose guard does not hold. */
  skipLocked?: true;
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
export async function transitionMany(
  sql: Sql,
  parts: ManyTransitionParts,
): Promise<(Step | null)[]> {
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
    j as materialized (${withSnapshots(sql, sql`'[]'::jsonb`)}),
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

/** Counts the owner's unfinished rows after each step, so that each new hint has its own place. */
function unfinishedAfter(sql: Sql, pending: TransitionParts["pending"]): Fragment {
  return pending === 1 ? sql`(s.pending - (s.last_seq - e.seq))::int` : sql`s.pending`;
}
