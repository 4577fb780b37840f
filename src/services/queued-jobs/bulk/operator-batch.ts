// One batch of an operation by operators, over the QueuedJobs of many users. The caller's rows,
// such as the position of the operation, change in the same transaction as the QueuedJobs.
import type { Sql } from "postgres";
import { inTransaction } from "../../../db/database.js";
import { FINISHED_STATUSES, TRANSITIONS } from "../../../domain/queued-job-status.js";
import type { Committer } from "../commit.js";
import type { AcceptLimits } from "../insert.js";
import { removeFinished, type Removed, type Remover } from "../remove.js";
import type { Step } from "../statements.js";
import { cancelMany } from "./owner-bulk.js";
import { chooseRetryable, retryMany, type ReadRow } from "./retry-rows.js";

export const BULK_ACTIONS = ["RETRY", "CANCEL", "DELETE"] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

const STEPS = { RETRY: "retry", CANCEL: "cancel", DELETE: "delete" } as const;

/** The statuses to which an action applies. */
export function sourcesOf(action: BulkAction) {
  return action === "DELETE" ? FINISHED_STATUSES : TRANSITIONS[STEPS[action]].from;
}

/** The outcome of an action on a batch. Rows that are in neither list are locked or changed. */
export interface Applied {
  done: string[];
  /** Ids of rows that cannot take the step, by an error code. */
  refused: Record<string, string[]>;
}

/**
 * Applies the action to rows that are unchanged since they were read. Skips locked rows, and fails
 * as a whole when one of them makes its statement fail.
 */
type Apply = (rows: readonly ReadRow[]) => Promise<Applied>;

export interface OperatorBatchDeps {
  sql: Sql;
  committer: Committer;
  remover: Remover;
  limits: AcceptLimits;
  ttlSeconds: number;
}

interface Written {
  steps: (Step | null)[];
  removed: Removed[];
  refused: Applied["refused"];
}

export function createOperatorBatch(deps: OperatorBatchDeps) {
  const { committer, remover } = deps;
  return {
    /**
     * Runs `work` in a transaction in which it may call `apply` once. Then publishes the steps, and
     * deletes the files of deleted rows.
     */
    async batch<T>(action: BulkAction, work: (tx: Sql, apply: Apply) => Promise<T>): Promise<T> {
      const change = await committer.commit({
        step: STEPS[action],
        write: () => writeBatch(deps, action, work),
        eventsOf: ({ steps }) => steps,
      });
      committer.logSteps(change.steps, STEPS[action]);
      await remover.deleteFiles(change.removed);
      return change.value;
    },
  };
}

// Rows of groups are stepped with the others: a refused statement would end the transaction.
async function writeBatch<T>(
  deps: OperatorBatchDeps,
  action: BulkAction,
  work: (tx: Sql, apply: Apply) => Promise<T>,
): Promise<{ value: T } & Pick<Written, "steps" | "removed">> {
  let written: Written = { steps: [], removed: [], refused: {} };
  const value = await inTransaction(deps.sql, (tx) =>
    work(tx, async (rows) => {
      written = rows.length === 0 ? written : await WRITERS[action](tx, rows, deps);
      const stepped = written.steps.flatMap((step) => (step ? [step.queuedJob.id] : []));
      const removed = written.removed.map(({ id }) => id);
      return { done: [...new Set([...stepped, ...removed])], refused: written.refused };
    }),
  );
  return { value, steps: written.steps, removed: written.removed };
}

const WRITERS: Record<
  BulkAction,
  (tx: Sql, rows: readonly ReadRow[], deps: OperatorBatchDeps) => Promise<Written>
> = {
  async RETRY(tx, rows, { limits }) {
    const { chosen, photoGone, noRoom } = await chooseRetryable(tx, rows, limits);
    const refused = { PHOTO_GONE: photoGone, QUOTA_EXCEEDED: noRoom };
    const steps =
      chosen.length === 0
        ? []
        : await retryMany(tx, { rows: chosen, limits, skipLocked: true, grouped: true });
    return { steps, removed: [], refused };
  },
  async CANCEL(tx, rows, { ttlSeconds }) {
    const ids = rows.map(({ id }) => id);
    const steps = await cancelMany(tx, { ids, ttlSeconds, skipLocked: true, grouped: true });
    return { steps, removed: [], refused: {} };
  },
  async DELETE(tx, rows) {
    const removed = await removeFinished(tx, rows, { wait: false });
    return { steps: removed.map(({ step }) => step), removed, refused: {} };
  },
};
