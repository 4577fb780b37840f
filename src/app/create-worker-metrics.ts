import type { ChildFault, ChildPool } from "../child-pool/child-pool.js";
import type { Database } from "../db/database.js";
import type { EventBus } from "../events/event-bus.js";
import { createFaultMetrics, createOverloadMetrics } from "../observability/fault-metrics.js";
import { createStepMetrics, createWorkMetrics, gaugeWorker } from "../observability/job-metrics.js";
import { createMetricsPage } from "../observability/metrics-page.js";
import { countDropped, gaugeStores } from "../observability/store-metrics.js";
import { LANES, type HintQueue, type Lane } from "../queue/hint-queue.js";
import type { Purged } from "../services/maintenance/purge.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";
import type { BacklogReads } from "../services/reads/backlog.js";
import type { Leases } from "../worker/leases.js";
import type { TaskWorker } from "../worker/task-worker.js";
import type { Catalogue } from "./load-catalogue.js";
import { version } from "./read-config.js";

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

type Action = Parameters<ReturnType<typeof createWorkMetrics>["onMaintenance"]>[0];

type Reconciling = Pick<QueuedJobs, "takeOverLapsed" | "hintDue" | "cancelMarked">;

/** Counts the work of the reconciler. */
export function measureReconciler(
  queuedJobs: Reconciling,
  { counted }: Pick<WorkerMetrics, "counted">,
): Reconciling {
  return {
    takeOverLapsed: (limit) => counted("taken_over", queuedJobs.takeOverLapsed(limit)),
    cancelMarked: () => counted("cancelled_in_group", queuedJobs.cancelMarked()),
    hintDue: (sweep, limit) => counted("hint_restored", queuedJobs.hintDue(sweep, limit)),
  };
}

/** Creates the metrics of a worker, and the wrappers that measure its parts. */
export function createWorkerMetrics(
  { revision }: { revision: string | null },
  catalogue: Catalogue,
) {
  const page = createMetricsPage({ process: "worker", version, revision });
  const jobs = new Set<string>(catalogue.keys());
  const { onAttempt, onMaintenance } = createWorkMetrics(page, jobs);
  const onFault = createFaultMetrics(page);

  async function counted(action: Action, work: Promise<number>): Promise<number> {
    const count = await work;
    onMaintenance(action, count);
    return count;
  }

  return {
    onStep: createStepMetrics(page, jobs),
    onDropped: countDropped(page),
    onAttempt,
    onBug: () => onFault("task"),
    onForeignRows: () => onFault("foreign_rows"),
    onSetAside: () => onFault("row"),
    onChildFault: (reason: ChildFault) => onFault(`child_${reason}`),
    page,
    read: page.read,
    counted,
    onPurged({ queuedJobs, events }: Pick<Purged, "queuedJobs" | "events">): void {
      onMaintenance("purged_queued_job", queuedJobs);
      onMaintenance("purged_event", events);
    },
    gauge(read: {
      database: Database;
      slowDatabase: Database;
      backlog: BacklogReads;
      bus: EventBus;
      hints: Pick<HintQueue, "memoryUsed">;
      leases: Leases;
      taskWorker: TaskWorker;
      pool: ChildPool;
      children: number;
    }): void {
      const { leases, taskWorker, pool } = read;
      createOverloadMetrics(page, { main: read.database, slow: read.slowDatabase });
      gaugeStores(page, {
        readBacklog: read.backlog.read,
        probeRedis: read.bus.probe,
        readRedisMemory: read.hints.memoryUsed,
        jobs: catalogue.keys(),
      });
      const secondsOf = (lane: Lane) => taskWorker.restingMs(lane) / 1000;
      gaugeWorker(page, {
        attempts: () => leases.size,
        resting: () => LANES.map((lane) => ({ lane, seconds: secondsOf(lane) })),
        children: () => pool,
        size: read.children,
      });
    },
  };
}
