import { Queue } from "bullmq";
import { LANES, createHintQueue, laneQueueName } from "../../../src/queue/hint-queue.js";
import { createRedis } from "../../../src/runtime/redis.js";
import type { QueuedJob } from "../../../src/domain/queued-job.js";
import type { Task } from "../../../src/tasks/define-task.js";
import type { User } from "../../../src/services/users/users.js";
import type { ExecuteDeps } from "../../../src/worker/execute-task.js";
import { createLeases } from "../../../src/worker/leases.js";
import {
  createTaskWorker,
  type TaskWorker,
  type TaskWorkerOptions,
} from "../../../src/worker/task-worker.js";
import { eventually } from "../../support/runner/eventually.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createWorkerScene, type WorkerScene } from "../worker-scene.js";

type Lane = (typeof LANES)[number];
interface Opened {
  close(): Promise<void>;
}
type OpenWorker = (
  more?: Partial<TaskWorkerOptions>,
  deps?: Partial<ExecuteDeps>,
) => TaskWorker & { leases: ReturnType<typeof createLeases> };

export interface TaskWorkerScene extends WorkerScene {
  user: User;
  other: User;
  submit(job: string, parameters?: Record<string, unknown>): Promise<QueuedJob>;
  statusOf(queuedJob: Pick<QueuedJob, "id">): Promise<QueuedJob["status"] | undefined>;
  inspect<T>(lane: Lane, look: (queue: Queue) => Promise<T>): Promise<T>;
  /** The number of hints in a lane, in any state. */
  hints(lane: Lane): Promise<number>;
  open: OpenWorker;
  closeLater(one: Opened): void;
  /** Functions that close what was opened, called in reverse order. */
  closeOpened(): Promise<void>;
}

/** Workers on real stores, with hints through Redis, and two users. */
export async function createTaskWorkerScene(tasks: Task[]): Promise<TaskWorkerScene> {
  const scene = await createWorkerScene(tasks, {
    hints: ({ url, prefix }) => createHintQueue({ redisUrl: url, prefix, log: silentLog }),
  });
  const [user, other] = [await scene.core.newUser(), await scene.core.newUser()];
  const opened: Opened[] = [];
  const inspect: TaskWorkerScene["inspect"] = (lane, look) => inspectLane(scene, lane, look);
  const hints = (lane: Lane) =>
    inspect(lane, async (queue) =>
      Object.values(await queue.getJobCounts()).reduce((sum, count) => sum + count, 0),
    );
  await eventually(
    "hints are taken",
    async () => (await scene.core.submit(user), (await hints("worker")) > 0),
  );
  await Promise.all(
    LANES.map((lane) => inspect(lane, (queue) => queue.obliterate({ force: true }))),
  );
  await scene.core.database.sql`delete from queued_jobs`;
  return {
    ...scene,
    user,
    other,
    inspect,
    hints,
    open(...given) {
      const worker = openWorker(scene, ...given);
      opened.push(worker);
      return worker;
    },
    closeLater: (one) => void opened.push(one),
    async closeOpened() {
      for (const one of opened.splice(0).toReversed()) await one.close();
    },
    statusOf: async ({ id }) => (await scene.find({ id }))?.status,
    submit: (job, parameters = {}) => scene.core.submit(user, { job, parameters }),
  };
}

async function inspectLane<T>(
  { core }: WorkerScene,
  lane: Lane,
  look: (queue: Queue) => Promise<T>,
): Promise<T> {
  const connection = createRedis({
    url: core.redis.url,
    prefix: core.redis.prefix,
    purpose: "tests",
    failFast: false,
    log: silentLog,
  });
  const queue = new Queue(laneQueueName(lane), { connection, prefix: core.redis.prefix });
  const found = await look(queue);
  await queue.close();
  connection.disconnect();
  return found;
}

function openWorker(
  { core, deps }: WorkerScene,
  ...[more = {}, otherDeps = {}]: Parameters<OpenWorker>
): ReturnType<OpenWorker> {
  const leases = createLeases({
    queuedJobs: core.queuedJobs,
    worker: "test-worker",
    log: silentLog,
    renewMs: 50,
  });
  const worker = createTaskWorker(
    { ...deps, leases, ...otherDeps },
    {
      redisUrl: core.redis.url,
      prefix: core.redis.prefix,
      tasks: 10,
      children: 2,
      drainMs: 5000,
      onRedisReady: () => {},
      hints: { add: async () => {} },
      ...more,
    },
  );
  return {
    ...worker,
    leases,
    async close() {
      await worker.close();
      leases.close();
    },
  };
}
