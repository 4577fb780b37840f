// Scans of lists of QueuedJobs along their ids, in both directions. Each uses an index that leads
// to its rows, however many other rows the user has.
import type { Fragment, Sql } from "postgres";
import { UNFINISHED_STATUSES, type QueuedJobStatus } from "../../domain/queued-job-status.js";
import { filterCondition, type QueuedJobFilter } from "../queued-jobs/statements.js";

/** The QueuedJobs of a list; a null user means all users. */
export interface ListScope {
  userId: string | null;
  /** Limits the list to QueuedJobs on this photo. */
  photoId: string | null;
  filter: QueuedJobFilter;
}

/** A scan along the ids of a list: newest first, or oldest first if it is backward. */
export interface Scan {
  /** The id beside the scan, or the column that contains it. */
  key: string | Fragment;
  backward: boolean;
  /** True if the scan begins at the key itself. Default: false. */
  inclusive?: boolean;
}

/** Larger than all ids. */
export const LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** Returns the scan in the other direction, from the key itself. */
export function behind({ key, backward }: Scan): Scan {
  return { key, backward: !backward, inclusive: true };
}

/** Operators and order of a scan. */
function scanWords(sql: Sql, { backward, inclusive = false }: Scan) {
  const end = inclusive ? sql`=` : sql``;
  return backward
    ? { past: sql`>${end}`, within: sql`<=`, order: sql`asc` }
    : { past: sql`<${end}`, within: sql`>=`, order: sql`desc` };
}

/**
 * Scans the rows `t` of the user `q`. It compares user and id as one value and orders by both, so
 * that only one index fits. Otherwise the planner might walk through the rows of all users to find
 * those of one user.
 */
export function rowsOfUser(sql: Sql, scan: Scan): { where: Fragment; orderBy: Fragment } {
  const { past, within, order } = scanWords(sql, scan);
  return {
    where: sql`t.user_id ${within} q.user_id
      and (t.user_id, t.id) ${past} (q.user_id, ${scan.key})`,
    orderBy: sql`t.user_id ${order}, t.id ${order}`,
  };
}

/**
 * Adds the column `hasBehind` to the rows `q`: whether `id` finds a row. Because of `offset 0` it
 * is computed once for each of them, and not again for each row of their pages.
 */
export function withBehind(sql: Sql, queries: Fragment, id: Fragment): Fragment {
  return sql`(select q.*, (${id}) is not null as "hasBehind" from ${queries} offset 0) q`;
}

/** Selects the first ids of a scan of the scope `q`. */
export function idsIn(
  sql: Sql,
  [scope]: readonly ListScope[],
  scan: Scan,
  limit: number,
): Fragment {
  if (!scope) throw new Error("A list needs at least one scope");
  const { userId, photoId, filter } = scope;
  const { past, order } = scanWords(sql, scan);
  if (photoId !== null) return idsOnPhoto(sql, filter, scan, limit);
  if (userId === null)
    return sql`select t.id from queued_jobs t where t.id ${past} ${scan.key}
      ${filterCondition(sql, filter)} order by t.id ${order} limit ${limit}`;
  if (filter.statuses !== null) return idsInStatuses(sql, filter, scan, limit);
  const { where, orderBy } = rowsOfUser(sql, scan);
  return sql`select t.id from queued_jobs t where ${where} ${filterCondition(sql, filter)}
    order by ${orderBy} limit ${limit}`;
}

/** Distinct, because a QueuedJob may contain the same photo several times. */
function idsOnPhoto(sql: Sql, filter: QueuedJobFilter, scan: Scan, limit: number): Fragment {
  const { past, order } = scanWords(sql, scan);
  return sql`
    select distinct l.queued_job_id as id from queued_job_photos l join queued_jobs t
      on t.id = l.queued_job_id
    where l.photo_id = q.photo_id and l.queued_job_id ${past} ${scan.key}
      and t.user_id = q.user_id ${filterCondition(sql, filter)}
    order by id ${order} limit ${limit}`;
}

/** Reads each status through the index that serves it. */
function idsInStatuses(sql: Sql, filter: QueuedJobFilter, scan: Scan, limit: number): Fragment {
  const statuses: readonly QueuedJobStatus[] = filter.statuses ?? [];
  const jobs = filterCondition(sql, { statuses: null, jobs: filter.jobs });
  const { past, order } = scanWords(sql, scan);
  const { where, orderBy } = rowsOfUser(sql, scan);
  const end = sql`order by id ${order} limit ${limit}`;
  const unfinished = UNFINISHED_STATUSES.filter((status) => statuses.includes(status));
  const parts: Fragment[] = [];
  if (statuses.includes("SUCCESS"))
    parts.push(
      sql`select t.id from queued_jobs t where ${where} and t.status = 'SUCCESS' ${jobs}
        order by ${orderBy} limit ${limit}`,
    );
  // Statuses are literals: with a parameter, the planner does not use the partial index.
  for (const [status, literal] of [
    ["FAILED", sql`'FAILED'`],
    ["CANCELLED", sql`'CANCELLED'`],
  ] as const) {
    if (statuses.includes(status))
      parts.push(sql`
      select t.id from queued_jobs t where t.user_id = q.user_id and t.status = ${literal}
        and t.id ${past} ${scan.key} ${jobs} order by t.id ${order} limit ${limit}`);
  }
  // Unfinished rows are few and unordered. `offset 0` keeps the planner from searching them in the
  // order of their ids.
  if (unfinished.length > 0)
    parts.push(sql`
    select * from (
      select t.id from queued_jobs t where t.user_id = q.user_id
        and t.status in ('PENDING', 'STARTED') and t.status = any(${unfinished})
          and t.id ${past} ${scan.key} ${jobs} offset 0) u ${end}`);
  const [first = sql`select null::uuid as id where false`, ...more] = parts;
  return sql`select id from
    (${more.reduce((all, part) => sql`${all} union all (${part})`, sql`(${first})`)}) parts ${end}`;
}
