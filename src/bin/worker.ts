import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { createChildPool } from "../imaging/child-pool.js";
import { runProcess } from "../lifecycle.js";
import { createLogger } from "../logger.js";
import { createHealthServer } from "../server/health-server.js";
import { checkDatabase } from "../server/health.js";
import { createDuties } from "../services/duties.js";
import { catalogue } from "../tasks/catalogue.js";
import { createLeases } from "../worker/leases.js";
import { createTaskWorker } from "../worker/task-worker.js";
import { createUpkeep } from "../worker/upkeep.js";
import { createCore, REDIS_PREFIX } from "./create-core.js";
import { orExit } from "./or-exit.js";
import { readConfig } from "./read-config.js";

const CHILD_MEMORY_BYTES = 1.5 * 1024 ** 3;

const config = orExit(() => readConfig([]));
const log = createLogger({ name: "worker", level: config.logLevel, pretty: process.stdout.isTTY && !config.production });
const drainMs = config.production ? 25_000 : 5000;

await runProcess({ log, deadlineMs: drainMs + 10_000 }, async (stack) => {
  const worker = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  const core = await createCore(config, { name: "photo-service worker", connections: 10, log }, stack);
  const { database, queuedJobs } = core;
  const pool = createChildPool({ entry: new URL("../worker/task-child.js", import.meta.url), size: config.workerConcurrency, memoryLimitBytes: CHILD_MEMORY_BYTES, log });
  stack.add("child pool", () => pool.close());
  const leases = createLeases({ queuedJobs, worker, log });
  stack.add("leases", () => leases.close());
  const upkeep = createUpkeep({ queuedJobs, duties: createDuties(database), worker, log });
  stack.add("upkeep", () => upkeep.close());
  const taskWorker = createTaskWorker(
    { ...core, pool, maxPhotoPixels: config.maxPhotoPixels, catalogue, leases, worker, log },
    { redisUrl: config.redisUrl, prefix: REDIS_PREFIX, tasks: config.workerTasks, children: config.workerConcurrency, drainMs, onRedisReady: () => upkeep.hurry() },
  );
  stack.add("task worker", () => taskWorker.close());
  const health = await createHealthServer({ needed: { postgresql: checkDatabase(database), queue: () => taskWorker.idleReason() }, wanted: {} }, log);
  stack.add("health server", () => health.close());
  log.info({ worker }, `takes work; health on ${await health.listen({ host: config.host, port: config.workerPort })}`);
  await pool.warm();
});
