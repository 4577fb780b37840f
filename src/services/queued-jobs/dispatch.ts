// Updates the queue after a recorded step. Any of it may fail. The reconciler restores lost hints
// from the rows, and the next lease renewal notices a lost cancellation.
import type { Sql } from "postgres";
import { available } from "../../db/database.js";
import type { QueuedJob } from "../../domain/queued-job.js";
import type { Hint, HintQueue, Lane } from "../../queue/hint-queue.js";
import type { CancellationChannel } from "../../queue/cancellation-channel.js";
import type { Logger } from "../../runtime/logger.js";
import type { Task } from "../../tasks/define-task.js";
import type { Hinted, Step } from "./statements.js";

export interface DispatcherDeps {
  sql: Sql;
  hints: HintQueue;
  cancellations: Pick<CancellationChannel, "publish">;
  catalogue: ReadonlyMap<string, Task>;
  log: Logger;
}

export interface Dispatcher {
  /** Adds hints that are due after `delayMs`, or else at their `runAt`. Never throws. */
  add(steps: readonly Hinted[], delayMs?: number): Promise<void>;
  /** Removes the hint from the queue, or cancels the attempt that runs. */
  remove(step: Step): Promise<void>;
  /** Adds the hints that are missing; returns their number. */
  addMissing(rows: (Omit<Hint, "lane"> & { jobName: string })[]): Promise<number>;
  /**
   * Stops attempts whose rows were deleted. A worker that misses the message stops at its next
   * lease renewal.
   */
  stopWork(ids: readonly string[]): void;
}

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { hints, cancellations, catalogue } = deps;

  /** A task that only another version knows may use either lane. */
  function laneOf({ jobName }: Pick<QueuedJob, "jobName">): Lane {
    return catalogue.get(jobName)?.runsIn ?? "worker";
  }

  return {
    async add(steps, delayMs) {
      const backlogs = await readBacklogs(deps, steps);
      const added = steps.map((step, i) => ({
        ...toHint(step, backlogs[i] ?? step.pending),
        lane: laneOf(step.queuedJob),
        delayMs: delayMs ?? msUntil(step.queuedJob.runAt),
      }));
      await hints.add(added);
    },
    async remove({ queuedJob, run }) {
      if (queuedJob.attempts > 0) cancellations.publish(queuedJob.id);
      await hints.remove(laneOf(queuedJob), queuedJob.id, run);
    },
    addMissing: (rows) =>
      hints.addMissing(
        rows.map(({ jobName, ...hint }) => ({ ...hint, lane: laneOf({ jobName }) })),
      ),
    stopWork(ids) {
      for (const id of ids) cancellations.publish(id);
    },
  };
}

function toHint(
  { queuedJob, run, requestId, traceparent }: Hinted,
  backlog: number,
): Omit<Hint, "lane" | "delayMs"> {
  const { id, userId, priority, member } = queuedJob;
  return {
    id,
    run,
    requestId,
    userId,
    ...(member && { grouped: true as const }),
    ...(traceparent && { traceparent }),
    priority,
    backlog,
  };
}

function msUntil(runAt: string | null): number {
  return runAt ? Math.max(0, Date.parse(runAt) - Date.now()) : 0;
}

/** The counter in a step of the lowest priority is its backlog already. */
async function readBacklogs(
  { sql, log }: Pick<DispatcherDeps, "sql" | "log">,
  steps: readonly Hinted[],
): Promise<number[]> {
  if (steps.every(({ queuedJob }) => queuedJob.priority === 0)) return [];
  try {
    return await available(() =>
      backlogsOf(
        sql,
        steps.map(({ queuedJob }) => queuedJob),
      ),
    );
  } catch (error) {
    log.debug(
      { err: error },
      "the backlogs could not be read; hints go behind the work of their owners",
    );
    return [];
  }
}

/**
 * Counts, for each, the unfinished QueuedJobs of the same owner with at least the same priority.
 */
export async function backlogsOf(
  sql: Sql,
  queuedJobs: Pick<QueuedJob, "userId" | "priority">[],
): Promise<number[]> {
  const rows = await sql<{ n: number }[]>`
    with i as (select * from unnest(${queuedJobs.map(({ userId }) => userId)}::uuid[],
      ${queuedJobs.map(({ priority }) => priority)}::int[]) with ordinality as i(user_id, priority,
      place)),
      n as (
        select d.*, (select count(*)::int from queued_jobs q where q.user_id = d.user_id
          and q.priority >= d.priority and q.status in ('PENDING', 'STARTED')) as n
        from (select distinct user_id, priority from i) d)
    select n.n from i join n on n.user_id = i.user_id and n.priority = i.priority order by i.place`;
  return rows.map(({ n }) => n);
}
