// Carries out operations in batches. A batch locks the row of its operation, and changes position
// and counts in the same transaction as the QueuedJobs. After a kill at any point, the next batch
// therefore continues where the last commit was: no row is skipped, and none is done twice.
import { setTimeout as pause } from "node:timers/promises";
import type { Sql } from "postgres";
import { available, isAway, isLockTimeout, sqlState, type Database } from "../../db/database.js";
import { OVER_QUOTA, OVER_RECORDED, PHOTO_GONE } from "../../db/refusals.js";
import { failpoint } from "../../runtime/failpoint.js";
import type { Logger } from "../../runtime/logger.js";
import { whileHolding, type Duties } from "../maintenance/duties.js";
import type { Applied, BulkAction } from "../queued-jobs/bulk/operator-batch.js";
import type { ReadRow } from "../queued-jobs/bulk/retry-rows.js";
import type { QueuedJobs } from "../queued-jobs/queued-jobs.js";
import {
  findNext,
  findWaiting,
  isAtEnd,
  lockOperation,
  recordBatch,
  type LockedOperation,
  type NextRows,
} from "./operation-rows.js";

export interface CarrierDeps {
  database: Database;
  queuedJobs: Pick<QueuedJobs, "batch">;
  log: Logger;
  /** Called with the number of rows of each batch. */
  onRows?: (action: BulkAction, rows: { done: number; skipped: number }) => void;
}

export type Carrier = ReturnType<typeof createCarrier>;

/** Maximum rows per batch. */
const BATCH_SIZE = 200;
/** Time after which a run ends; the next interval continues. */
const RUN_MS = 10_000;
/** Part of a batch's time for which the next one waits, so that others get their turn. */
const PAUSE = 0.25;
const MAX_PAUSE_MS = 1000;
/** Time for which the duty stays with a worker that died. */
const HELD_SECONDS = 5;
const DUTY = "operations";

/** An operation that runs, and what this process has learned about its batches. */
interface Running {
  id: string;
  action: BulkAction;
}

/** A row that makes its statement fail, by the code under which it is counted. */
interface Fault {
  id: string;
  code: string;
}

/** Counts a row as locked, so that it is visited again. */
const LOCKED = "LOCKED";

/** "idle": all that is left is locked, or another process works on it. */
type Outcome = "moved" | "idle" | "ended";

export function createCarrier(deps: CarrierDeps) {
  const { database, log } = deps;
  const batches = createBatches(deps);

  /** Returns true if an operation has moved, so that there may be more to do. */
  async function round(signal: AbortSignal, faults: unknown[]): Promise<boolean> {
    let moved = false;
    for (const operation of await available(() => readRunning(database.sql))) {
      if (signal.aborted) break;
      const startedAt = performance.now();
      try {
        moved = (await batches.advance(operation)) !== "idle" || moved;
      } catch (error) {
        if (isAway(error)) throw error;
        log.error({ err: error, operation: operation.id }, "an operation failed to advance");
        faults.push(error);
      }
      await pause(Math.min(MAX_PAUSE_MS, PAUSE * (performance.now() - startedAt)));
    }
    return moved;
  }

  async function work(signal: AbortSignal): Promise<void> {
    const faults: unknown[] = [];
    for (const end = performance.now() + RUN_MS; performance.now() < end && !signal.aborted;)
      if (!(await round(signal, faults))) break;
    if (faults.length > 0) throw faults[0];
  }

  return {
    /** Works on all running operations for some seconds, unless another worker does. */
    async run({
      duties,
      holder,
      signal,
    }: {
      duties: Duties;
      holder: string;
      signal: AbortSignal;
    }): Promise<void> {
      const running = await available(() => readRunning(database.sql));
      if (running.length > 0)
        await whileHolding({ duties, name: DUTY, holder, signal, seconds: HELD_SECONDS }, work);
    },

    /** Does one batch of a small operation at once; a worker does what is left. */
    advance: (operation: Running): Promise<Outcome> => batches.advance(operation),
  };
}

function readRunning(sql: Sql): Promise<Running[]> {
  return sql<Running[]>`
    select id, action from operations where state = 'RUNNING' order by id`;
}

function createBatches({ queuedJobs, log, onRows }: CarrierDeps) {
  /** Sizes of the next batches of operations with a row that makes its statement fail. */
  const sizes = new Map<string, number>();

  /** `tried` receives the rows before they change. */
  async function step(
    { id, action }: Running,
    size: number,
    { fault, tried }: { fault?: Fault; tried: ReadRow[] },
  ): Promise<Outcome> {
    const batch = await queuedJobs.batch(action, async (tx, apply) => {
      const operation = await lockOperation(tx, id);
      if (!operation) return null;
      const next = await nextRows(tx, operation, size);
      tried.splice(0, tried.length, ...next.rows);
      const isFaulty = fault !== undefined && next.rows.some((row) => row.id === fault.id);
      const applied = isFaulty ? refuse(fault) : await apply(next.rows);
      await failpoint("operation: before the position");
      return recordBatch(tx, operation, { ...next, applied });
    });
    if (!batch) return "idle";
    onRows?.(action, batch);
    if (batch.ended) {
      sizes.delete(id);
      log.info({ operation: id, action }, "an operation has finished");
      return "ended";
    }
    return batch.moved ? "moved" : "idle";
  }

  return {
    /** Does one batch. Smaller and smaller batches find a row that makes its statement fail. */
    async advance(operation: Running): Promise<Outcome> {
      const size = sizes.get(operation.id) ?? BATCH_SIZE;
      const tried: ReadRow[] = [];
      try {
        const outcome = await step(operation, size, { tried });
        if (size < BATCH_SIZE) sizes.set(operation.id, Math.min(BATCH_SIZE, size * 2));
        return outcome;
      } catch (error) {
        const [row] = tried;
        if (isAway(error) || !row) throw error;
        if (tried.length > 1) {
          sizes.set(operation.id, Math.ceil(tried.length / 5));
          return "moved";
        }
        const fault = { id: row.id, code: codeOf(error) };
        if (fault.code === UNKNOWN)
          log.error(
            { err: error, operation: operation.id, queuedJobId: row.id },
            "an operation cannot change a QueuedJob",
          );
        return step(operation, 1, { fault, tried });
      }
    },
  };
}

const UNKNOWN = "INTERNAL_SERVER_ERROR";

function codeOf(error: unknown): string {
  if (isLockTimeout(error)) return LOCKED;
  const state = sqlState(error);
  if (state === OVER_QUOTA || state === OVER_RECORDED) return "QUOTA_EXCEEDED";
  return state === PHOTO_GONE ? "PHOTO_GONE" : UNKNOWN;
}

function refuse({ id, code }: Fault): Applied {
  return { done: [], refused: code === LOCKED ? {} : { [code]: [id] } };
}

/** Visits locked rows again at the end, or earlier when there are many. */
function nextRows(tx: Sql, operation: LockedOperation, size: number): Promise<NextRows> {
  return isAtEnd(operation) ? findWaiting(tx, operation, size) : findNext(tx, operation, size);
}
