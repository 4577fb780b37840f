// What follows a recorded step in the queue. None of it must succeed: a lost hint is put back from
// the rows, a lost bell is heard at the next renewal of the lease.
import type { Sql } from "postgres";
import { available } from "../../db/database.js";
import type { Logger } from "../../runtime/logger.js";
import type { Hint, HintQueue, Lane } from "../../queue/hint-queue.js";
import type { StopBell } from "../../queue/stop-bell.js";
import type { QueuedJob, QueuedJobSnapshot } from "../../domain/queued-job.js";
import type { Task } from "../../tasks/define-task.js";
import { backlogsOf } from "./due.js";
import type { DueRow, DueSweep } from "./due-sweep.js";
import type { Step } from "./statements.js";

export interface HinterDeps {
  sql: Sql;
  hints: HintQueue;
  stopBell: Pick<StopBell, "ring">;
  catalogue: ReadonlyMap<string, Task>;
  log: Logger;
}

/** Brings work to the workers, and takes it back. */
export function createHinter({ sql, hints, stopBell, catalogue, log }: HinterDeps) {
  /** The hint of a task that only another version knows may stand in any lane. */
  function laneOf({ jobName }: Pick<QueuedJob, "jobName">): Lane {
    return catalogue.get(jobName)?.runsIn ?? "worker";
  }

  function toHint(
    { queuedJob, run, requestId, traceparent }: Step,
    backlog: number,
    delayMs: number,
  ): Hint {
    return {
      id: queuedJob.id,
      run,
      requestId,
      userId: queuedJob.userId,
      ...(traceparent && { traceparent }),
      lane: laneOf(queuedJob),
      priority: queuedJob.priority,
      backlog,
      delayMs,
    };
  }

  /** Of the lowest priority a step knows it itself. */
  async function backlogsIfKnown(steps: Step[]): Promise<number[]> {
    if (steps.every(({ queuedJob }) => queuedJob.priority === 0)) return [];
    try {
      return await available(() =>
        backlogsOf(
          sql,
          steps.map(({ queuedJob }) => queuedJob),
        ),
      );
    } catch (error) {
      log.debug({ err: error }, "hints are added as if all that waits were before them");
      return [];
    }
  }

  /** Never throws. */
  async function hint(
    steps: Step[],
    delayMs: (queuedJob: QueuedJobSnapshot) => number,
  ): Promise<void> {
    const backlogs = await backlogsIfKnown(steps);
    await hints.add(
      steps.map((made, i) => toHint(made, backlogs[i] ?? made.pending, delayMs(made.queuedJob))),
    );
  }

  /** Puts those back that are missing; returns how many. */
  function hintMissing(due: DueRow[], sweep: DueSweep): Promise<number> {
    const found: Hint[] = [];
    for (const row of due) {
      const backlog = sweep.countBacklog(row);
      if (sweep.patient && !row.settled) continue;
      if (!catalogue.has(row.jobName) && !sweep.admitsUnknown(row.jobName)) continue;
      const { id, run, requestId, priority, delayMs } = row;
      found.push({ id, run, requestId, priority, delayMs, backlog, lane: laneOf(row) });
    }
    return hints.addMissing(found);
  }

  /** What waits in the queue or runs in a worker is not wanted any more. */
  async function withdraw({ queuedJob, run }: Step): Promise<void> {
    if (queuedJob.attempts > 0) stopBell.ring(queuedJob.id);
    await hints.remove(laneOf(queuedJob), queuedJob.id, run);
  }

  return { hint, hintMissing, withdraw };
}
