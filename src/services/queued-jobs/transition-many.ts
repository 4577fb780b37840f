import type { Fragment, Sql } from "postgres";
import { OVER_QUOTA } from "../../db/refusals.js";
import { TRANSITIONS } from "../../domain/queued-job-status.js";
import { briefLocks } from "./brief-locks.js";
import {
  recordedBy,
  stepColumns,
  withSnapshots,
  type Step,
  type TransitionParts,
} from "./statements.js";

/**
 * `where` and `set` are of the row as in `transition`, and may name the columns of the item `i`.
 */
export interface ManyTransitionParts extends Pick<TransitionParts, "step" | "set" | "pending"> {
  where?: Fragment;
  ids: string[];
  /**
   * What else an item is made of: arrays as long as `ids`, and the names of the columns they
   * become.
   */
  more?: { arrays: Fragment; columns: Fragment };
  /** Its rows are of several users: it waits only briefly for a lock, then fails as a whole. */
  brief?: true;
  /** A row that somebody else has locked counts as one for which the guard does not hold. */
  skipLocked?: true;
}

/**
 * The same step of many rows in one statement, all of them or none; of whom the guard does not
 * hold, null. Rows are locked in the order of their ids, then counters in the order of theirs, so
 * that no two of these wait for each other. Row by row (lateral), since a plan that was made while
 * the table was small would else read it whole when it is large. Events are numbered in the order
 * of the items.
 */
export async function transitionMany(
  sql: Sql,
  parts: ManyTransitionParts,
): Promise<(Step | null)[]> {
  const more = parts.more && {
    arrays: sql`, ${parts.more.arrays}`,
    columns: sql`, ${parts.more.columns}`,
  };
  const { from, to, event } = TRANSITIONS[parts.step];
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
      update queued_jobs set status = ${to}, version = version + 1, updated_at = now() ${parts.set}
      from l i where id = i.item_id returning queued_jobs.*, i.item_place),
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
      from c where u.user_id = c.user_id returning u.user_id, u.last_seq - c.made as base,
        u.pending),
    e as (
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
      select j.user_id, s.base + row_number() over (partition by j.user_id
        order by j.item_place), j.id,
        ${event}, now(), j.snapshot, j.event_bytes
      from j join s on s.user_id = j.user_id
      returning queued_job_id, seq, at)
    select e.seq::float8 as seq, rfc3339(e.at) as at, ${stepColumns(sql, parts.step)}, s.pending,
      case when e.seq is null then refuse(${OVER_QUOTA}) end as refused
    from j left join s on s.user_id = j.user_id left join e on e.queued_job_id = j.id`;
  const byId = new Map(steps.map((step) => [step.queuedJob.id, step]));
  return parts.ids.map((id) => byId.get(id) ?? null);
}
