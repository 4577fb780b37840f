import { createDuties } from "../../../src/services/maintenance/duties.js";
import type { QueuedJobs } from "../../../src/services/queued-jobs/queued-jobs.js";
import type { User } from "../../../src/services/users/users.js";
import { createReconciler, type Reconciler } from "../../../src/worker/reconciler.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestCore, type TestCore } from "../../support/service/test-core.js";
import type { Logger } from "../../../src/runtime/logger.js";

export interface ReconcilerScene {
  core: TestCore;
  user: User;
  /** The simulated Redis: whether it has lost its data, and the number of checks. */
  redis: { forgotten: boolean; checks: number };
  open(
    worker: string,
    more?: Partial<QueuedJobs>,
    intervalMs?: number,
    log?: Logger,
    sweepMs?: number,
  ): Reconciler;
  /** Closes what the scene has opened. */
  closeReconcilers(): Promise<void>;
  close(): Promise<void>;
}

/** Reconcilers on a real database, with a Redis that loses its data when a test says so. */
export async function createReconcilerScene(): Promise<ReconcilerScene> {
  const core = await createTestCore();
  const redis = { forgotten: false, checks: 0 };
  const opened: Reconciler[] = [];
  return {
    core,
    redis,
    user: await core.newUser(),
    open(worker, more = {}, intervalMs = 600_000, log = silentLog, sweepMs = 2000) {
      const reconciler = createReconciler({
        queuedJobs: { ...core.queuedJobs, ...more },
        hints: { hasForgotten: async () => (redis.checks++, redis.forgotten) },
        duties: createDuties(core.database),
        worker,
        log,
        intervalMs,
        sweepMs,
      });
      opened.push(reconciler);
      return reconciler;
    },
    async closeReconcilers() {
      for (const reconciler of opened.splice(0)) await reconciler.close();
    },
    close: () => core.close(),
  };
}
