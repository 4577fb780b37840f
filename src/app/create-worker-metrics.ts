import type { Database } from "../db/database.js";
import type { EventBus } from "../events/event-bus.js";
import type { ChildFault, ChildPool } from "../child-pool/child-pool.js";
import { createFaultMetrics, createOverloadMetrics } from "../observability/fault-metrics.js";
import { createStepMetrics, createWorkMetrics, gaugeWorker } from "../observability/job-metrics.js";
import { createMetricsPage } from "../observability/metrics-page.js";
import { countDropped, gaugeStores } from "../observability/store-metrics.js";
import { LANES } from "../queue/hint-queue.js";
import type { BacklogReads } from "../services/reads/backlog.js";
import type { Purged } from "../services/maintenance/purge.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";
import { catalogue } from "../tasks/catalogue.js";
import type { Leases } from "../worker/leases.js";
import type { TaskWorker } from "../worker/task-worker.js";
import { version } from "./version.js";

type Reconciling = Pick<QueuedJobs, "takeOverLapsed" | "hintDue">;

/** What a worker measures, and how it is put around what the worker is made of. */
export function createWorkerMetrics({ revision }: { revision: string | null }) {
  const page = createMetricsPage({ process: "worker", version, revision });
  const jobs = new Set<string>(catalogue.keys());
  const { onAttempt, onUpkeep } = createWorkMetrics(page, jobs);
  const onFault = createFaultMetrics(page);

  async function counted(
    action: Parameters<typeof onUpkeep>[0],
    work: Promise<number>,
  ): Promise<number> {
    const count = await work;
    onUpkeep(action, count);
    return count;
  }

  return {
    onStep: createStepMetrics(page, jobs),
    onDropped: countDropped(page),
    onAttempt,
    onBug: () => onFault("task"),
    onForeignRows: () => onFault("foreign_rows"),
    onChildFault: (reason: ChildFault) => onFault(`child_${reason}`),
    page,
    read: page.read,
    measureReconciler: (queuedJobs: Reconciling): Reconciling => ({
      takeOverLapsed: (limit) => counted("taken_over", queuedJobs.takeOverLapsed(limit)),
      hintDue: (sweep, limit) => counted("hint_restored", queuedJobs.hintDue(sweep, limit)),
    }),
    onPurged(purged: Pick<Purged, "queuedJobs" | "events">): void {
      onUpkeep("purged_queued_job", purged.queuedJobs);
      onUpkeep("purged_event", purged.events);
    },
    gauge(read: {
      database: Database;
      slowDatabase: Database;
      backlog: BacklogReads;
      bus: EventBus;
      leases: Leases;
      taskWorker: TaskWorker;
      pool: ChildPool;
      children: number;
    }): void {
      const { backlog, bus, leases, taskWorker, pool } = read;
      createOverloadMetrics(page, { main: read.database, slow: read.slowDatabase });
      gaugeStores(page, {
        readBacklog: backlog.read,
        probeRedis: bus.probe,
        jobs: catalogue.keys(),
      });
      const resting = () =>
        LANES.map((lane) => ({ lane, seconds: taskWorker.restingMs(lane) / 1000 }));
      gaugeWorker(page, {
        attempts: () => leases.size,
        resting,
        children: () => pool,
        size: read.children,
      });
    },
  };
}
