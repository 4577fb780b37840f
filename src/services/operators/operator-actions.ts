// The audit: one row for each action of an operator. It is kept apart from the QueuedJobs, and
// longer.
import type { Sql } from "postgres";
import { v7 as uuidv7 } from "uuid";
import { available, inTransaction, type Database } from "../../db/database.js";
import type { Instant } from "../../domain/queued-job.js";
import { isUuid } from "../reads/ids.js";
import { lowestIdAt } from "../reads/operator-search.js";

/** The operator and the request of an action. */
export interface Operator {
  /** User and address of the client. */
  actor: string;
  requestId: string;
}

export interface OperatorAction extends Operator {
  /** A short phrase: "retry jobs", "pause Job". */
  action: string;
  /** The object of the action. The field `operation` holds the id of an operation. */
  target: Record<string, unknown>;
  /** Number of objects that the action concerns; null if it is not known. */
  count: number | null;
}

/**
 * Records an action. Pass a transaction to record it together with the action; otherwise, record it
 * first, because an action without a record must not happen.
 */
export async function recordOperatorAction(
  { sql }: Pick<Database, "sql">,
  { actor, requestId, action, target, count }: OperatorAction,
): Promise<void> {
  await available(
    () => sql`
      insert into operator_actions (id, at, actor, request_id, action, target, count)
      values (${uuidv7()}, clock_timestamp(), ${actor}, ${requestId}, ${action},
        ${JSON.stringify(target)}::jsonb, ${count})`,
  );
}

/**
 * Changes something and records it in one transaction. Returns false, and records nothing, when
 * `change` finds nothing to do.
 */
export function changeAndRecord(
  sql: Sql,
  action: OperatorAction,
  change: (tx: Sql) => Promise<boolean>,
): Promise<boolean> {
  return available(() =>
    inTransaction(sql, async (tx) => {
      if (!(await change(tx))) return false;
      await recordOperatorAction({ sql: tx }, action);
      return true;
    }),
  );
}

export interface RecordedAction extends OperatorAction {
  id: string;
  at: Instant;
}

/** Returns a page of actions, newest first. The count of an operation is what it has done. */
export function readOperatorActions(
  { sql }: Database,
  { beforeId, first }: { beforeId: string | null; first: number },
): Promise<RecordedAction[]> {
  const before = beforeId !== null && isUuid(beforeId) ? sql`where a.id < ${beforeId}` : sql``;
  return available(
    () => sql<RecordedAction[]>`
      select a.id, rfc3339(a.at) as at, a.actor, a.request_id as "requestId", a.action, a.target,
        coalesce(o.done, a.count) as count
      from (select * from operator_actions a ${before} order by a.id desc limit ${first}) a
      left join operations o on o.id = (a.target->>'operation')::uuid
        and a.action <> 'stop operation'
      order by a.id desc`,
  );
}

/** Actions and operations are kept for this time. */
const KEPT_MS = 400 * 24 * 3600 * 1000;
const BATCH_SIZE = 1000;

/** Removes actions and finished operations that are older than 400 days. */
export async function purgeOperatorActions(
  { sql }: Database,
  now: () => number = Date.now,
): Promise<number> {
  const lowest = lowestIdAt(now() - KEPT_MS);
  const actions = await available(
    () => sql`
      delete from operator_actions where id in (
        select id from operator_actions where id < ${lowest} order by id limit ${BATCH_SIZE})`,
  );
  const operations = await available(
    () => sql`
      delete from operations where id in (
        select id from operations where id < ${lowest} and state <> 'RUNNING' order by id
        limit ${BATCH_SIZE})`,
  );
  return actions.count + operations.count;
}
