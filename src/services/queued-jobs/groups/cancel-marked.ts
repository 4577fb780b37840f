// Rows of groups are marked first and cancelled afterwards, a bounded number per statement.
import type { Sql } from "postgres";
import { finish, hasOwner, NEVER_DUE, type Step } from "../statements.js";
import { transitionMany } from "../transition.js";

/** Maximum rows per statement. */
const BATCH_SIZE = 200;

/**
 * Cancels the first marked rows of one of these groups, or of any. One group at a time, because
 * each row locks its successors. Empty when none is marked.
 */
export async function cancelMarked(
  sql: Sql,
  { groupIds, ttlSeconds }: { groupIds: readonly string[] | null; ttlSeconds: number },
): Promise<(Step | null)[]> {
  const ofGroups = groupIds ? sql`and group_id = any(${[...groupIds]}::uuid[])` : sql``;
  const isMarked = sql`cancelling is not null and status in ('PENDING', 'STARTED')
    and ${hasOwner(sql)}`;
  const rows = await sql<{ id: string }[]>`
    select id from queued_jobs where ${isMarked} and group_id = (
      select group_id from queued_jobs where ${isMarked} ${ofGroups} order by id limit 1)
    order by id limit ${BATCH_SIZE}`;
  if (rows.length === 0) return [];
  return transitionMany(sql, {
    step: "cancel",
    ids: rows.map(({ id }) => id),
    grouped: true,
    ttlSeconds,
    where: sql`cancelling is not null`,
    set: sql`, error_code = case when cancelling = 'PREDECESSOR' then 'PREDECESSOR_FAILED'
        else error_code end,
      error_message = case when cancelling = 'PREDECESSOR'
        then 'A QueuedJob on which this one depends did not succeed.' else error_message end
      ${finish(sql, ttlSeconds)}`,
    pending: -1,
  });
}

/**
 * Marks all unfinished rows of a group, of which a group has at most 500. They are locked in the
 * order of their ids. Returns false if none was unfinished.
 */
export async function markGroup(sql: Sql, groupId: string): Promise<boolean> {
  const rows = await sql`
    with l as materialized (
      select id from queued_jobs where group_id = ${groupId} order by id for no key update)
    update queued_jobs q set cancelling = 'OWNER',
      due_at = case when q.status = 'PENDING' then ${NEVER_DUE}::timestamptz else q.due_at end
    from l where q.id = l.id and q.status in ('PENDING', 'STARTED') returning q.id`;
  return rows.length > 0;
}
