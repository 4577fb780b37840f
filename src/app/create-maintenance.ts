import type { Logger } from "../runtime/logger.js";
import { createMaintenanceMetrics } from "../observability/maintenance-metrics.js";
import type { MetricsPage } from "../observability/metrics-page.js";
import { createOperationMetrics } from "../observability/operation-metrics.js";
import { createDuties } from "../services/maintenance/duties.js";
import { createAccountErasure } from "../services/users/erase-account.js";
import { createEventRetirement } from "../services/maintenance/event-retirement.js";
import { createLostFiles } from "../services/maintenance/lost-files.js";
import { createPurge, type Purged } from "../services/maintenance/purge.js";
import { createRecount } from "../services/maintenance/recount.js";
import { createWorkerRegister } from "../services/operators/worker-register.js";
import { createFileSweep } from "../services/maintenance/sweep-files.js";
import { createCarrier, type Carrier } from "../services/operators/carry-out.js";
import { createOperations } from "../services/operators/operations.js";
import { purgeOperatorActions } from "../services/operators/operator-actions.js";
import { BULK_ACTIONS } from "../services/queued-jobs/bulk/operator-batch.js";
import type { MetadataReader } from "../services/photos/metadata-reader.js";
import type { PreviewMaker } from "../services/photos/preview-maker.js";
import { createSchedule, type Schedule, type ScheduledTask } from "../worker/schedule.js";
import type { Core } from "./create-core.js";
import { undeliveredLimits } from "./open-webhooks.js";
import type { CompleteConfig } from "./read-config.js";

const [SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS] = [1000, 60_000, 3_600_000, 86_400_000];

/** The recurring tasks and their intervals. */
const TIMES = {
  purge: { everyMs: 15 * SECOND_MS, lateAfterMs: 2 * MINUTE_MS },
  partitionEvents: { everyMs: MINUTE_MS, lateAfterMs: HOUR_MS, exclusive: true },
  eraseAccounts: { everyMs: 15 * SECOND_MS, lateAfterMs: 5 * MINUTE_MS, exclusive: true },
  operations: { everyMs: 2 * SECOND_MS, lateAfterMs: 2 * MINUTE_MS },
  makePreviews: { everyMs: 10 * SECOND_MS, lateAfterMs: 10 * MINUTE_MS },
  readMetadata: { everyMs: 10 * SECOND_MS, lateAfterMs: 10 * MINUTE_MS, exclusive: true },
  purgeOperators: { everyMs: HOUR_MS, lateAfterMs: DAY_MS },
  sweepFiles: { everyMs: HOUR_MS, lateAfterMs: DAY_MS, exclusive: true },
  recount: { everyMs: 5 * MINUTE_MS, passMs: DAY_MS, lateAfterMs: HOUR_MS, exclusive: true },
  countLostFiles: {
    everyMs: 5 * MINUTE_MS,
    passMs: 7 * DAY_MS,
    lateAfterMs: HOUR_MS,
    exclusive: true,
  },
} satisfies Record<string, Omit<ScheduledTask, "run">>;

type TaskName = keyof typeof TIMES;

const ERASE_MS = 10_000;

export interface MaintenanceDeps extends Pick<
  Core,
  "redis" | "database" | "storage" | "queuedJobs"
> {
  previewMaker: PreviewMaker;
  metadataReader: MetadataReader;
  config: CompleteConfig;
  worker: string;
  page: MetricsPage;
  onPurged(purged: Pick<Purged, "queuedJobs" | "events">): void;
  log: Logger;
}

/** The recurring maintenance; one worker at a time runs it. */
export function createMaintenance(deps: MaintenanceDeps): Schedule {
  const { database, storage, queuedJobs, log } = deps;
  const names = Object.keys(TIMES) as TaskName[];
  const metrics = createMaintenanceMetrics(
    deps.page,
    Object.fromEntries(names.map((name) => [name, TIMES[name].lateAfterMs / 1000])),
  );
  const { eventTtlSeconds } = deps.config;
  const undelivered = undeliveredLimits(deps.config);
  const purge = createPurge({ database, queuedJobs, eventTtlSeconds, undelivered, log });
  const retirement = createEventRetirement({ database, eventTtlSeconds, undelivered, log });
  const sweep = createFileSweep({ database, storage, log });
  const recount = createRecount({ database, log });
  const lostFiles = createLostFiles({ database, storage, log });
  const carrier = createOperationCarrier(deps);
  const duties = createDuties(database);
  const erasure = createAccountErasure({
    database,
    deleteFiles: (keys) => storage.delete(keys),
    stopWork: (ids) => queuedJobs.stopWork(ids),
    log,
  });

  const runs: Record<TaskName, ScheduledTask["run"]> = {
    async purge({ signal }) {
      const purged = await purge.run(signal);
      deps.onPurged(purged);
      metrics.onPurge(purged.lagSeconds);
      return null;
    },
    async partitionEvents({ signal }) {
      const { events, strays } = await retirement.run(signal);
      deps.onPurged({ queuedJobs: 0, events });
      metrics.onStrayEvents(strays);
      return null;
    },
    eraseAccounts: ({ signal }) => whole(erasure.eraseAll({ forMs: ERASE_MS, signal })),
    operations: ({ signal }) => whole(carrier.run({ duties, holder: deps.worker, signal })),
    makePreviews: () => whole(deps.previewMaker.makePreviews()),
    readMetadata: ({ signal }) => whole(deps.metadataReader.readMissing(signal)),
    purgeOperators: () =>
      whole(Promise.all([createWorkerRegister(database).purge(), purgeOperatorActions(database)])),
    sweepFiles: ({ signal }) => whole(sweep.run(signal)),
    recount: async (slice) => (await recount.run(slice)).next,
    countLostFiles: async (slice) => (await lostFiles.run(slice)).next,
  };
  const tasks = Object.fromEntries(
    names.map((name) => [name, { ...TIMES[name], run: runs[name] }]),
  );
  const schedule = createSchedule({
    ...deps.redis,
    tasks,
    duties,
    worker: deps.worker,
    log,
    onFailure: metrics.onFailure,
  });
  metrics.watch(schedule.lastSuccesses);
  return schedule;
}

/** The part that carries out operations of operators, with its metrics. */
function createOperationCarrier({ database, queuedJobs, page, log }: MaintenanceDeps): Carrier {
  const { readProgress } = createOperations(database);
  const { onRows } = createOperationMetrics(page, { actions: BULK_ACTIONS, readProgress });
  return createCarrier({ database, queuedJobs, log, onRows });
}

/** For a task that completes a pass in every run. */
async function whole(work: Promise<unknown>): Promise<null> {
  await work;
  return null;
}
