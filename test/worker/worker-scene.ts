import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { createChildPool } from "../../src/child-pool/child-pool.js";
import { createLocalStorage } from "../../src/photos/local-storage.js";
import type { Storage } from "../../src/photos/storage.js";
import type { HintQueue } from "../../src/queue/hint-queue.js";
import type { QueuedJob, QueuedJobEvent } from "../../src/domain/queued-job.js";
import { createPhotos } from "../../src/services/photos/photos.js";
import { createNearPhotos } from "../../src/services/reads/near-photos.js";
import { createQueuedJobReads } from "../../src/services/reads/queued-job-reads.js";
import { catalogue } from "../../src/tasks/catalogue.js";
import type { Task, TaskContext } from "../../src/tasks/define-task.js";
import { executeTask, type ExecuteDeps } from "../../src/worker/execute-task.js";
import { createLeases } from "../../src/worker/leases.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTestCore, type TestCore } from "../support/service/test-core.js";

export interface WorkerScene {
  core: TestCore;
  deps: ExecuteDeps;
  /** The folder of this scene. */
  folder: string;
  /** Runs the attempt of the last hint. */
  execute(queuedJob: Pick<QueuedJob, "id">, deps?: Partial<ExecuteDeps>): Promise<number | null>;
  find(queuedJob: Pick<QueuedJob, "id">): Promise<QueuedJob | null>;
  history(queuedJob: Pick<QueuedJob, "id">): Promise<QueuedJobEvent[]>;
  /** The keys of all files in the storage. */
  kept(): Promise<string[]>;
  close(): Promise<void>;
}

/** A task without a schema, for tests. */
export function testTask(
  name: string,
  run: (context: TaskContext<Record<string, unknown>>) => unknown,
  more: Partial<Task> = {},
): Task {
  return {
    name,
    title: name,
    description: name,
    parameters: z.record(z.string(), z.unknown()),
    result: z.unknown(),
    minPhotos: 0,
    maxPhotos: 0,
    maxAttempts: 3,
    timeoutMs: 60_000,
    runsIn: "worker",
    load: async () => ({
      run: async (context) => run(context as TaskContext<Record<string, unknown>>),
    }),
    ...more,
  };
}

/** A task that runs in the scripted child. */
export function childTask(name: string, more: Partial<Task> = {}): Task {
  return testTask(name, () => Promise.reject(new Error("It runs in a child")), {
    runsIn: "child",
    ...more,
  });
}

interface WorkerSceneOptions {
  hints?: (redis: { url: string; prefix: string }) => HintQueue;
  renewMs?: number;
  maxStoredBytes?: number;
}

/**
 * The dependencies of a worker on real stores, with a child that obeys its parameters. Leases are
 * renewed so often that a test can see it.
 */
export async function createWorkerScene(
  tasks: Task[],
  options: WorkerSceneOptions = {},
): Promise<WorkerScene> {
  const folder = await mkdtemp(join(tmpdir(), "photo-worker-test-"));
  const storage = await createLocalStorage(join(folder, "storage"));
  const core = await createTestCore({
    tasks,
    ...(options.hints && { hints: options.hints }),
    ...(options.maxStoredBytes && { maxStoredBytes: options.maxStoredBytes }),
    deleteFiles: (keys) => storage.delete(keys),
  });
  const queuedJobReads = createQueuedJobReads(core.database);
  const deps = createExecuteDeps(core, storage, tasks, options.renewMs ?? 30);
  return {
    core,
    deps,
    folder,
    execute: (queuedJob, more = {}) =>
      executeTask(
        { ...deps, ...more },
        {
          id: queuedJob.id,
          run: core.hinted.findLast((hint) => hint.id === queuedJob.id)?.run ?? 0,
          requestId: "test",
        },
      ),
    find: ({ id }) => core.queuedJobs.find({ id: "", role: "ADMIN" }, id),
    history: async ({ id }) => (await queuedJobReads.histories([id]))[0] ?? [],
    async kept() {
      const keys: string[] = [];
      for await (const { key } of storage.list()) keys.push(key);
      return keys.sort();
    },
    async close() {
      deps.leases.close();
      await Promise.all([deps.pool.close(), deps.suspects.close()]);
      await core.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function createExecuteDeps(
  { database, queuedJobs, bus }: TestCore,
  storage: Storage,
  tasks: Task[],
  renewMs: number,
) {
  const worker = "test-worker";
  const children = {
    entry: new URL("./scripted-child.js", import.meta.url),
    memoryLimitBytes: 1e9,
    graceMs: 200,
    log: silentLog,
  };
  return {
    queuedJobs,
    storage,
    pool: createChildPool({ ...children, size: 2 }),
    suspects: createChildPool({ ...children, size: 4, recycleAfterTasks: 1, keepsWarm: false }),
    leases: createLeases({ queuedJobs, worker, log: silentLog, renewMs }),
    photos: createPhotos({
      database,
      bus,
      deleteFiles: async () => {},
      maxStoredBytes: 1e9,
      maxRecordedBytes: 1e9,
      log: silentLog,
    }),
    catalogue: new Map([...catalogue, ...tasks.map((task) => [task.name, task] as const)]),
    nearPhotos: createNearPhotos(database),
    startRate: { note: () => {} },
    maxPhotoPixels: 1e8,
    acceptHeic: true,
    worker,
    log: silentLog,
  };
}
