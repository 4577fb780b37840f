import { join } from "node:path";
import { createDatabase, type Database } from "../db/database.js";
import { createEventBus, type EventBus, type EventBusOptions } from "../events/event-bus.js";
import type { ClosingStack } from "../runtime/lifecycle.js";
import type { Logger } from "../runtime/logger.js";
import type { Storage } from "../photos/storage.js";
import { createHintQueue, type Hint, type HintQueue } from "../queue/hint-queue.js";
import { createCancellationChannel } from "../queue/cancellation-channel.js";
import { createJobs, type Jobs } from "../services/jobs/jobs.js";
import { createPhotos, type Photos } from "../services/photos/photos.js";
import { createGroupReads, type GroupReads } from "../services/reads/group-reads.js";
import { createQueuedJobReads, type QueuedJobReads } from "../services/reads/queued-job-reads.js";
import {
  createQueuedJobs,
  type QueuedJobs,
  type QueuedJobsDeps,
} from "../services/queued-jobs/queued-jobs.js";
import { echo } from "../tasks/echo/task.js";
import { noTracer, type Tracer } from "../runtime/tracer.js";
import type { Catalogue } from "./load-catalogue.js";
import type { CompleteConfig } from "./read-config.js";
import type { Config } from "../runtime/config.js";
import { createLocalStorage } from "../photos/local-storage.js";
import { createS3Storage } from "../photos/s3-storage.js";

/** Prefix of all keys in Redis. The braces keep the keys of a queue on one node of a cluster. */
export const REDIS_PREFIX = "{photos}";

/** Maximum memory of one child process. */
export const CHILD_MEMORY_BYTES = 1.5 * 1024 ** 3;

/** The parts that the API and the worker share. */
export interface Core {
  /** URL of Redis and the prefix of the keys. */
  redis: { redisUrl: string; prefix: string };
  database: Database;
  /**
   * Separate connections for statements that may take seconds, so that they do not block others.
   */
  slowDatabase: Database;
  bus: EventBus;
  hints: HintQueue;
  storage: Storage;
  jobs: Jobs;
  photos: Photos;
  queuedJobs: QueuedJobs;
  queuedJobReads: QueuedJobReads;
  groupReads: GroupReads;
}

interface CoreOptions {
  name: string;
  catalogue: Catalogue;
  /**
   * Maximum connections to PostgreSQL, in addition to `slowDatabase`; each is opened when it is
   * first used.
   */
  connections: number;
  log: Logger;
  redisPrefix?: string;
  tracer?: Tracer;
  onStep?: QueuedJobsDeps["onStep"];
  onDropped?: EventBusOptions["onDropped"];
  onForeignRows?: () => void;
  onSetAside?: QueuedJobsDeps["onSetAside"];
  /** Attends a new hint in this process; returns false if the queue is needed. */
  takeHint?: (hint: Hint) => boolean;
}

const SLOW_CONNECTIONS = 2;

export async function createCore(
  config: CompleteConfig,
  options: CoreOptions,
  stack: ClosingStack,
): Promise<Core> {
  const { catalogue, log, tracer = noTracer, onStep, onDropped, onSetAside, takeHint } = options;
  const redis = { redisUrl: config.redisUrl, prefix: options.redisPrefix ?? REDIS_PREFIX };
  const { database, slowDatabase } = connectDatabases(config, options, stack);
  const bus = createEventBus({ ...redis, log, ...(onDropped && { onDropped }) });
  stack.add("event bus", () => bus.close());
  const hints = createHintQueue({ ...redis, carry: tracer.carry, log });
  stack.add("hint queue", () => hints.close());
  const cancellations = createCancellationChannel({ ...redis, log });
  stack.add("stop notification", () => cancellations.close());
  const storage = await createStorage(config, log);
  const deleteFiles = (keys: string[]) => storage.delete(keys);
  const disabledJobs = [...config.disabledJobs, ...(config.echo ? [] : [echo.name])];
  const jobs = createJobs({ database, catalogue, disabledJobs });
  const photos = createPhotos({
    database,
    bus,
    deleteFiles,
    maxStoredBytes: config.maxStoredBytesPerUser,
    maxRecordedBytes: config.maxRecordedBytesPerUser,
    log,
  });
  const limits = {
    maxPendingPerUser: config.maxPendingPerUser,
    maxStoredBytesPerUser: config.maxStoredBytesPerUser,
    maxRecordedBytesPerUser: config.maxRecordedBytesPerUser,
    jobTtlSeconds: config.jobTtlSeconds,
  };
  const queuedJobs = createQueuedJobs({
    database,
    bus,
    hints: takeHint ? takingOwn(hints, takeHint, tracer) : hints,
    cancellations,
    catalogue,
    submittable: jobs.submittable,
    deleteFiles,
    limits,
    log,
    tracer,
    ...(onStep && { onStep }),
    ...(onSetAside && { onSetAside }),
  });
  return {
    redis,
    database,
    slowDatabase,
    bus,
    hints,
    storage,
    jobs,
    photos,
    queuedJobs,
    queuedJobReads: createQueuedJobReads(database),
    groupReads: createGroupReads(database),
  };
}

/** Adds only those hints to the queue that this process does not take. */
function takingOwn(
  hints: HintQueue,
  take: (hint: Hint) => boolean,
  { carry }: Pick<Tracer, "carry">,
): HintQueue {
  return {
    ...hints,
    add(all) {
      const traceparent = carry();
      const traced = traceparent ? all.map((hint) => ({ traceparent, ...hint })) : all;
      return hints.add(traced.filter((hint) => !take(hint)));
    },
  };
}

function connectDatabases(
  { databaseUrl }: CompleteConfig,
  { name, connections, log, onForeignRows }: CoreOptions,
  stack: ClosingStack,
): Pick<Core, "database" | "slowDatabase"> {
  const connect = (maxConnections: number) => {
    const database = createDatabase({
      url: databaseUrl,
      connections: maxConnections,
      applicationName: name,
      onForeignRows(error) {
        log.error(
          { err: error },
          "rows of another user were returned and discarded, and their connection was closed",
        );
        onForeignRows?.();
      },
      onMoved: (host) =>
        log.warn({ host }, "another PostgreSQL is the primary; all connections lead there now"),
    });
    stack.add("database", () => database.close());
    return database;
  };
  return { database: connect(connections), slowDatabase: connect(SLOW_CONNECTIONS) };
}

/** Creates the storage of STORAGE_URL. */
export function createStorage(config: Config, log: Logger): Promise<Storage> {
  if (config.storageUrl.startsWith("file:"))
    return createLocalStorage(config.storageUrl.slice("file:".length));
  const [bucket = "", ...folders] = config.storageUrl
    .slice("s3://".length)
    .split("/")
    .filter(Boolean);
  return createS3Storage({
    bucket,
    prefix: folders.map((folder) => `${folder}/`).join(""),
    // Servers other than Amazon's have one region with this name.
    region: config.awsRegion ?? "us-east-1",
    endpoint: config.awsEndpointUrl,
    accessKeyId: config.awsAccessKeyId ?? "",
    secretAccessKey: config.awsSecretAccessKey ?? "",
    scratchFolder: join(config.dataFolder, "scratch"),
    log,
  });
}
