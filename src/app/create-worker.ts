import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { explainListening } from "../embedded/ports.js";
import { createChildPool, type ChildPool } from "../child-pool/child-pool.js";
import { createPhotoInspector } from "../imaging/inspect/photo-inspector.js";
import type { ClosingStack } from "../runtime/lifecycle.js";
import type { Logger } from "../runtime/logger.js";
import { createStartRate, type StartRate } from "../queue/start-rate.js";
import { listenForStops } from "../queue/stop-bell.js";
import { createAdminGuard } from "../server/access/admin-guard.js";
import { createHealthServer } from "../server/health/health-server.js";
import { checkDatabase } from "../server/health/health.js";
import { createBacklogReads } from "../services/reads/backlog.js";
import { createDuties } from "../services/maintenance/duties.js";
import { createNearPhotos } from "../services/reads/near-photos.js";
import { createPreviewMaker } from "../services/photos/preview-maker.js";
import { catalogue } from "../tasks/catalogue.js";
import { noTracer, type Tracer } from "../runtime/tracer.js";
import { createLeases, type Leases } from "../worker/leases.js";
import { createReconciler, type Reconciler } from "../worker/reconciler.js";
import { createStuckCheck } from "../worker/stuck-check.js";
import { createTaskWorker, type TaskWorker } from "../worker/task-worker.js";
import { createMaintenance } from "./create-maintenance.js";
import { createWorkerMetrics } from "./create-worker-metrics.js";
import { CHILD_MEMORY_BYTES, createCore, type Core } from "./create-core.js";
import type { CompleteConfig } from "./read-config.js";

export interface WorkerOptions {
  log: Logger;
  redisPrefix?: string;
  /** How long running tasks may go on when it closes. */
  drainMs: number;
  tracer?: Tracer;
}

/** What the parts of a worker share. */
interface WorkerParts {
  core: Core;
  metrics: ReturnType<typeof createWorkerMetrics>;
  pool: ChildPool;
  leases: Leases;
  reconciler: Reconciler;
  /** Names this process to the others. */
  worker: string;
  log: Logger;
}

/**
 * A worker, taking work; returns the address of its health, and what starts its children before
 * their first task. What it opens is put on the stack.
 */
export async function createWorker(
  config: CompleteConfig,
  options: WorkerOptions,
  stack: ClosingStack,
): Promise<{ url: string; warm(): Promise<void> }> {
  const { log, tracer = noTracer } = options;
  const metrics = createWorkerMetrics(config);
  const worker = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  const { onStep, onDropped, onForeignRows } = metrics;
  const base = { name: "photo-service worker", connections: 8 };
  const coreOptions = { ...base, ...options, tracer, onStep, onDropped, onForeignRows };
  const core = await createCore(config, coreOptions, stack);
  const { redis, database, queuedJobs } = core;
  const pool = createChildPool({
    entry: new URL("../worker/child/task-child.js", import.meta.url),
    size: config.workerConcurrency,
    memoryLimitBytes: CHILD_MEMORY_BYTES,
    log,
    onFault: metrics.onChildFault,
  });
  stack.add("child pool", () => pool.close());
  const leases = createLeases({ queuedJobs, worker, log });
  stack.add("leases", () => leases.close());
  const stops = listenForStops({
    ...redis,
    log,
    onStop: (queuedJobId) => leases.drop(queuedJobId),
  });
  stack.add("stop bells", () => stops.close());
  const startRate = createStartRate({ ...redis, log });
  stack.add("start rate", () => startRate.close());
  const reconciler = createReconciler({
    queuedJobs: metrics.measureReconciler(queuedJobs),
    hints: core.hints,
    duties: createDuties(database),
    worker,
    log,
  });
  stack.add("reconciler", () => reconciler.close());
  const parts: WorkerParts = { core, metrics, pool, leases, reconciler, worker, log };
  openMaintenance(config, parts, stack);
  const taskWorker = openTaskWorker(config, { ...options, tracer }, { ...parts, startRate });
  stack.add("task worker", () => taskWorker.close());
  return { url: await listenForHealth(config, { ...parts, taskWorker }, stack), warm: pool.warm };
}

/** What recurs, with the children that make previews. */
function openMaintenance(
  config: CompleteConfig,
  { core, metrics, worker, log }: WorkerParts,
  stack: ClosingStack,
): void {
  const { slowDatabase, storage } = core;
  const openInspector = () =>
    createPhotoInspector({
      log,
      maxPixels: config.maxPhotoPixels,
      memoryLimitBytes: CHILD_MEMORY_BYTES,
      onFault: metrics.onChildFault,
    });
  const previewMaker = createPreviewMaker({ database: slowDatabase, storage, openInspector, log });
  const maintenance = createMaintenance({
    ...core,
    database: slowDatabase,
    previewMaker,
    eventTtlSeconds: config.eventTtlSeconds,
    worker,
    page: metrics.page,
    onPurged: metrics.onPurged,
    log,
  });
  stack.add("maintenance", () => maintenance.close());
  stack.add("preview maker", () => previewMaker.close());
}

function openTaskWorker(
  config: CompleteConfig,
  { drainMs, tracer }: { drainMs: number; tracer: Tracer },
  parts: WorkerParts & { startRate: StartRate },
): TaskWorker {
  const { core, metrics, pool, leases, reconciler, startRate, worker, log } = parts;
  return createTaskWorker(
    {
      ...core,
      nearPhotos: createNearPhotos(core.slowDatabase),
      pool,
      startRate,
      maxPhotoPixels: config.maxPhotoPixels,
      acceptHeic: config.acceptHeic,
      catalogue,
      leases,
      worker,
      log,
      tracer,
      onAttempt: metrics.onAttempt,
      onBug: metrics.onBug,
    },
    {
      ...core.redis,
      tasks: config.workerTasks,
      children: config.workerConcurrency,
      drainMs,
      onRedisReady: () => reconciler.hurry(),
    },
  );
}

/** Serves health and metrics; resolves with their address. */
async function listenForHealth(
  config: CompleteConfig,
  { core, metrics, pool, leases, taskWorker, log }: WorkerParts & { taskWorker: TaskWorker },
  stack: ClosingStack,
): Promise<string> {
  const { database, slowDatabase, bus } = core;
  const backlog = createBacklogReads(database);
  metrics.gauge({
    database,
    slowDatabase,
    backlog,
    bus,
    leases,
    taskWorker,
    pool,
    children: config.workerConcurrency,
  });
  const queue = createStuckCheck({ taskWorker, hasWaited: backlog.hasWaited, catalogue });
  const health = await createHealthServer(
    { needed: { postgresql: checkDatabase(database), redis: bus.probe, queue }, wanted: {} },
    { read: metrics.read, protect: createAdminGuard(config.adminPassword).protect },
    log,
  );
  stack.add("health server", () => health.close());
  const place = { host: config.host, port: config.workerPort, variable: "WORKER_PORT" };
  return health.listen(place).catch(explainListening(place));
}
