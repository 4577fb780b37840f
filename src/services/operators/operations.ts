// Operations of operators on all QueuedJobs that match a search. The API records one, and a worker
// carries it out; see carry-out.ts.
import type { Fragment, Sql } from "postgres";
import { v7 as uuidv7 } from "uuid";
import { available, type Database } from "../../db/database.js";
import { ConflictError, NotFoundError } from "../../domain/errors.js";
import type { Instant } from "../../domain/queued-job.js";
import { sourcesOf, type BulkAction } from "../queued-jobs/bulk/operator-batch.js";
import { FIRST_ID, isUuid } from "../reads/ids.js";
import {
  ANY_JOB,
  LOOKED_AT,
  lookAt,
  restColumns,
  restOf,
  type JobFilter,
} from "../reads/operator-search.js";
import { changeAndRecord, type Operator } from "./operator-actions.js";

export type OperationState = "RUNNING" | "FINISHED" | "STOPPED";

export interface Operation extends Operator {
  id: string;
  action: BulkAction;
  state: OperationState;
  filter: JobFilter;
  /** Number of matching rows at the start, at most `MAX_COUNTED` + 1; null if it is not known. */
  matched: number | null;
  done: number;
  /** Number of rows that could not take the step, by code. */
  skipped: Record<string, number>;
  /** Number of locked rows that are visited again. */
  waiting: number;
  createdAt: Instant;
  /** Time of the last progress. */
  updatedAt: Instant;
  finishedAt: Instant | null;
}

export interface OperationRequest {
  action: BulkAction;
  filter: JobFilter;
  matched: number | null;
  operator: Operator;
}

export type Operations = ReturnType<typeof createOperations>;

/** Matching rows are counted up to this number. */
export const MAX_COUNTED = 10_000;
/** Maximum operations that run at once. */
const MAX_RUNNING = 20;

export function createOperations(database: Database) {
  const { sql } = database;
  return {
    /**
     * Counts the rows to which an action applies, up to `MAX_COUNTED` + 1. Null if it took too
     * long.
     */
    count: (action: BulkAction, filter: JobFilter): Promise<number | null> =>
      countMatches(sql, action, filter),

    /** Records an operation and its audit line; returns its id. Throws ConflictError. */
    start: (request: OperationRequest): Promise<string> => available(() => start(sql, request)),

    /** Stops a running operation and records the operator. Finished batches stay. */
    async stop(id: string, operator: Operator): Promise<void> {
      if (!isUuid(id)) throw new NotFoundError("There is no such operation.");
      await available(() => stop(sql, id, operator));
    },

    async find(id: string): Promise<Operation | null> {
      if (!isUuid(id)) return null;
      const rows = await available(() => readOperations(sql, { id, beforeId: null, first: 1 }));
      return rows[0] ?? null;
    },

    /** Returns a page of operations, newest first. */
    page: (query: { beforeId: string | null; first: number }): Promise<Operation[]> =>
      available(() => readOperations(sql, { ...query, id: null })),

    /** Returns the number that runs, and the longest time without progress of one of them. */
    async readProgress(): Promise<{ running: number; idleSeconds: number }> {
      const [row] = await available(
        () => sql<{ running: number; idleSeconds: number }[]>`
          select count(*)::int as running, coalesce(
            max(extract(epoch from clock_timestamp() - updated_at)), 0)::float8 as "idleSeconds"
          from operations where state = 'RUNNING'`,
      );
      return row ?? { running: 0, idleSeconds: 0 };
    },
  };
}

/** The statuses to which an action applies, as a condition on the row `t`. */
export function statusOf(sql: Sql, action: BulkAction): Fragment {
  return sql`t.status = any(${[...sourcesOf(action)]})`;
}

/** Time after which the count is given up. */
const COUNT_MS = 3000;

async function countMatches(
  sql: Sql,
  action: BulkAction,
  filter: JobFilter,
): Promise<number | null> {
  let count = 0;
  let after: string | null = null;
  for (const end = performance.now() + COUNT_MS; performance.now() < end;) {
    const [page] = await available(() => countPage(sql, { action, filter, after }));
    count += page?.count ?? 0;
    if (count > MAX_COUNTED) return MAX_COUNTED + 1;
    if (!page?.last || page.looked < LOOKED_AT) return count;
    after = page.last;
  }
  return null;
}

/** Counts the matches among the next rows. */
function countPage(
  sql: Sql,
  { action, filter, after }: { action: BulkAction; filter: JobFilter; after: string | null },
): Promise<{ count: number; looked: number; last: string | null }[]> {
  return sql<{ count: number; looked: number; last: string | null }[]>`
    with looked as materialized (${lookAt(sql, filter, {
      columns: sql`id, ${restColumns(sql)}`,
      range: { after },
      newestFirst: false,
      unsuccessful: isUnsuccessful(action, filter),
    })})
    select count(*) filter (where ${statusOf(sql, action)} ${restOf(sql, filter)})::int as count,
      count(*)::int as looked,
      (select id::text from looked order by id desc limit 1) as last from looked t`;
}

/** True if the action and the search only concern FAILED and CANCELLED rows. */
export function isUnsuccessful(action: BulkAction, { status }: JobFilter): boolean {
  return action === "RETRY" || status === "FAILED" || status === "CANCELLED";
}

/** The phrase of each action in the audit. */
const PHRASES = { RETRY: "retry jobs", CANCEL: "cancel jobs", DELETE: "delete jobs" } as const;

async function start(sql: Sql, request: OperationRequest): Promise<string> {
  const { action, filter, matched, operator } = request;
  const id = uuidv7();
  const target = { operation: id, filter };
  const recorded = { ...operator, action: PHRASES[action], target, count: matched };
  const isStarted = await changeAndRecord(sql, recorded, async (tx) => {
    const rows = await tx`
      insert into operations (id, action, state, actor, request_id, filter, matched, position,
        bound, created_at, updated_at)
      select ${id}::uuid, ${action}::text, 'RUNNING', ${operator.actor}::text,
        ${operator.requestId}::text, ${JSON.stringify(filter)}::jsonb, ${matched}::int,
        ${FIRST_ID}::uuid, coalesce(${filter.id}::uuid,
          (select id from queued_jobs order by id desc limit 1), ${FIRST_ID}::uuid), now(), now()
      where (select count(*) from operations where state = 'RUNNING') < ${MAX_RUNNING}
      returning id`;
    return rows.length > 0;
  });
  if (!isStarted)
    throw new ConflictError(
      `At most ${MAX_RUNNING} operations run at once: stop one, or wait until one has finished.`,
    );
  return id;
}

async function stop(sql: Sql, id: string, operator: Operator): Promise<void> {
  const action = { ...operator, action: "stop operation", target: { operation: id }, count: null };
  const isStopped = await changeAndRecord(sql, action, async (tx) => {
    const rows = await tx`
      update operations set state = 'STOPPED', finished_at = now()
      where id = ${id} and state = 'RUNNING' returning id`;
    return rows.length > 0;
  });
  if (!isStopped)
    throw new ConflictError("The operation does not run: it has finished or was stopped.");
}

async function readOperations(
  sql: Sql,
  { id, beforeId, first }: { id: string | null; beforeId: string | null; first: number },
): Promise<Operation[]> {
  const rows = await sql<Operation[]>`
    select id, action, state, actor, request_id as "requestId", filter, matched, done, skipped,
      cardinality(waiting) as waiting, rfc3339(created_at) as "createdAt",
      rfc3339(updated_at) as "updatedAt", rfc3339(finished_at) as "finishedAt"
    from operations where true ${id === null ? sql`` : sql`and id = ${id}`}
      ${beforeId !== null && isUuid(beforeId) ? sql`and id < ${beforeId}` : sql``}
    order by id desc limit ${first}`;
  return rows.map((row) => ({ ...row, filter: { ...ANY_JOB, ...row.filter } }));
}
