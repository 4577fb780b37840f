import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { explainListening } from "../embedded/ports.js";
import type { ChildPool } from "../child-pool/child-pool.js";
import { createPhotoInspector } from "../imaging/inspect/photo-inspector.js";
import type { ClosingStack } from "../runtime/lifecycle.js";
import type { Logger } from "../runtime/logger.js";
import type { Hint } from "../queue/hint-queue.js";
import { createStartRate, type StartRate } from "../queue/start-rate.js";
import { listenForStops } from "../queue/cancellation-channel.js";
import { createAdminGuard } from "../server/access/admin-guard.js";
import { createHealthServer, checkDatabase } from "../server/health/health.js";
import { createBacklogReads } from "../services/reads/backlog.js";
import { createDuties } from "../services/maintenance/duties.js";
import { createWorkerRegister } from "../services/operators/worker-register.js";
import { createNearPhotos } from "../services/reads/near-photos.js";
import { createMetadataReader } from "../services/photos/metadata-reader.js";
import { createPreviewMaker } from "../services/photos/preview-maker.js";
import { noTracer, type Tracer } from "../runtime/tracer.js";
import { Heartbeat } from "../worker/heartbeat.js";
import { createLeases, type Leases } from "../worker/leases.js";
import { createReconciler, type Reconciler } from "../worker/reconciler.js";
import { createStuckCheck } from "../worker/stuck-check.js";
import { createTaskWorker, type TaskWorker } from "../worker/task-worker.js";
import { createMaintenance } from "./create-maintenance.js";
import {
  createWorkerMetrics,
  measureReconciler,
  type WorkerMetrics,
} from "./create-worker-metrics.js";
import { CHILD_MEMORY_BYTES, createCore, type Core } from "./create-core.js";
import { loadCatalogue, type Catalogue } from "./load-catalogue.js";
import { openChildPools } from "./open-child-pools.js";
import { openWebhooks } from "./open-webhooks.js";
import { type CompleteConfig, version } from "./read-config.js";

interface WorkerOptions {
  log: Logger;
  redisPrefix?: string;
  /** Time that running tasks may take when the worker closes. */
  drainMs: number;
  tracer?: Tracer;
}

/** The program of the children. */
const CHILD = new URL("../worker/child/task-child.js", import.meta.url);

interface WorkerParts {
  catalogue: Catalogue;
  core: Core;
  metrics: WorkerMetrics;
  pool: ChildPool;
  suspects: ChildPool;
  leases: Leases;
  heartbeat: Heartbeat;
  reconciler: Reconciler;
  /** Unique name of this process. */
  worker: string;
  log: Logger;
}

/**
 * Starts a worker; returns the address of its health, and `warm`, which starts its children before
 * their first task. Everything that it opens is closed by the stack.
 */
export async function createWorker(
  config: CompleteConfig,
  options: WorkerOptions,
  stack: ClosingStack,
): Promise<{ url: string; warm(): Promise<void> }> {
  const { log, tracer = noTracer } = options;
  const catalogue = await loadCatalogue(config.tasks, log);
  const metrics = createWorkerMetrics(config, catalogue);
  const worker = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  const { onStep, onDropped, onForeignRows, onSetAside } = metrics;
  const base = { name: "photo-service worker", connections: 8, catalogue };
  const measured = { onStep, onDropped, onForeignRows, onSetAside };
  // Opened below, because it needs the core.
  const opened: { taskWorker?: TaskWorker } = {};
  const takeHint = (hint: Hint) => opened.taskWorker?.take(hint) ?? false;
  const more = { ...base, ...measured, takeHint };
  const core = await createCore(config, { ...more, ...options, tracer }, stack);
  const { redis, database, queuedJobs } = core;
  const children = { entry: CHILD, size: config.workerConcurrency, onFault: metrics.onChildFault };
  const { pool, suspects } = openChildPools({ ...children, log }, stack);
  const leases = createLeases({ queuedJobs, worker, log });
  stack.add("leases", () => leases.close());
  const heartbeat = createHeartbeat(config, { core, leases, worker, log });
  stack.add("heartbeat", () => heartbeat.close());
  const stops = listenForStops({
    ...redis,
    log,
    onStop: (queuedJobId) => leases.check(queuedJobId),
  });
  stack.add("stop notifications", () => stops.close());
  const startRate = createStartRate({ ...redis, log });
  stack.add("start rate", () => startRate.close());
  const reconciler = createReconciler({
    queuedJobs: measureReconciler(queuedJobs, metrics),
    hints: core.hints,
    duties: createDuties(database),
    worker,
    log,
  });
  stack.add("reconciler", () => reconciler.close());
  const parts: WorkerParts = {
    catalogue,
    core,
    metrics,
    pool,
    suspects,
    leases,
    heartbeat,
    reconciler,
    worker,
    log,
  };
  openMaintenance(config, parts, stack);
  await openWebhooks(config, parts, stack);
  const taskWorker = openTaskWorker(config, { ...options, tracer }, { ...parts, startRate });
  opened.taskWorker = taskWorker;
  stack.add("task worker", () => taskWorker.close());
  heartbeat.start(taskWorker);
  return { url: await listenForHealth(config, { ...parts, taskWorker }, stack), warm: pool.warm };
}

function createHeartbeat(
  config: CompleteConfig,
  { core, leases, worker, log }: Pick<WorkerParts, "core" | "leases" | "worker" | "log">,
): Heartbeat {
  return new Heartbeat({
    register: createWorkerRegister(core.database),
    about: {
      name: worker,
      version,
      revision: config.revision,
      host: hostname(),
      pid: process.pid,
      tasks: config.workerTasks,
      children: config.workerConcurrency,
    },
    leases,
    log,
  });
}

/** Starts the maintenance, with the children that make previews. */
function openMaintenance(
  config: CompleteConfig,
  { core, metrics, worker, log }: WorkerParts,
  stack: ClosingStack,
): void {
  const { slowDatabase: database, bus, storage } = core;
  const openInspector = () =>
    createPhotoInspector({
      log,
      maxPixels: config.maxPhotoPixels,
      memoryLimitBytes: CHILD_MEMORY_BYTES,
      onFault: metrics.onChildFault,
    });
  const parts = { database, bus, storage, openInspector, log };
  const previewMaker = createPreviewMaker(parts);
  const maintenance = createMaintenance({
    ...core,
    database,
    previewMaker,
    metadataReader: createMetadataReader(parts),
    config,
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
  const { core, metrics, reconciler } = parts;
  return createTaskWorker(
    {
      ...core,
      ...parts,
      nearPhotos: createNearPhotos(core.slowDatabase),
      maxPhotoPixels: config.maxPhotoPixels,
      acceptHeic: config.acceptHeic,
      tracer,
      onAttempt: metrics.onAttempt,
      onBug: metrics.onBug,
    },
    {
      ...core.redis,
      hints: core.hints,
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
  parts: WorkerParts & { taskWorker: TaskWorker },
  stack: ClosingStack,
): Promise<string> {
  const { catalogue, core, metrics, pool, leases, heartbeat, taskWorker, log } = parts;
  const { database, slowDatabase, bus, hints } = core;
  const backlog = createBacklogReads(database);
  metrics.gauge({
    database,
    slowDatabase,
    backlog,
    bus,
    hints,
    leases,
    taskWorker,
    pool,
    children: config.workerConcurrency,
  });
  const queue = createStuckCheck({ taskWorker, hasWaited: backlog.hasWaited, catalogue });
  const health = await createHealthServer(
    {
      needed: { postgresql: checkDatabase(database), redis: bus.probe, queue },
      wanted: { pauses: () => heartbeat.describePauses() },
    },
    { read: metrics.read, protect: createAdminGuard(config.adminPassword).protect },
    log,
  );
  stack.add("health server", () => health.close());
  const place = { host: config.host, port: config.workerPort, variable: "WORKER_PORT" };
  return health.listen(place).catch(explainListening(place));
}
