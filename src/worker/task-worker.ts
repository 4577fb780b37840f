import { setTimeout as pause } from "node:timers/promises";
import { ServiceUnavailableError } from "../domain/errors.js";
import { LANES, type HintData, type Lane } from "../queue/hint-queue.js";
import { createRedis } from "../runtime/redis.js";
import { executeTask, type ExecuteDeps } from "./execute-task.js";
import { TaskLane } from "./task-lane.js";
import { UserShare } from "./user-share.js";

export interface TaskWorkerOptions {
  redisUrl: string;
  prefix: string;
  /** Maximum concurrent tasks in the worker process. */
  tasks: number;
  /** Maximum concurrent tasks in children, in addition to those. */
  children: number;
  /** Time that running tasks may continue while the worker closes. */
  drainMs: number;
  onRedisReady: () => void;
}

export interface TaskWorker {
  /** Null when the worker takes work, else the reason why not. */
  idleReason(): string | null;
  /** Time without a hint in a lane with room; 0 for a full lane. */
  restingMs(lane: Lane): number;
  /** Takes no more work, lets running tasks finish, and hands the rest back. */
  close(): Promise<void>;
}

const PAUSE_MS = 500;
/** Delay of a hint that came to a worker which cannot start children. */
const SICK_MS = 1000;

/** Turns hints into attempts. */
export function createTaskWorker(deps: ExecuteDeps, options: TaskWorkerOptions): TaskWorker {
  const { log, leases, pool } = deps;
  const { tasks, children, prefix } = options;
  const redis = createRedis({ url: options.redisUrl, purpose: "work", failFast: false, log });
  redis.on("ready", options.onRedisReady);
  const share = new UserShare(tasks);
  let closing = false;
  const attend = createAttendance(deps, () => closing);

  /**
   * Shares slots between users in this lane only. A task in the worker process may take minutes,
   * while a child is free again soon.
   */
  async function attendInWorker(hint: HintData, onWorked: () => void): Promise<number | null> {
    const { userId } = hint;
    if (userId === undefined) return attend(hint, onWorked);
    const entered = closing ? 0 : await share.enter(userId);
    if (typeof entered === "number") return entered;
    return attend(hint, onWorked).finally(entered);
  }

  /** Pauses the lane while no child can be started, because another worker may be able to. */
  async function attendInChild(hint: HintData, onWorked: () => void): Promise<number | null> {
    const delayMs = pool.startFault === null ? await attend(hint, onWorked) : SICK_MS;
    if (pool.startFault !== null) {
      lanes.child.pause();
      void pool.untilStartable().then(() => {
        if (!closing) lanes.child.resume();
      });
    }
    return delayMs;
  }

  const common = { redis, prefix, maxBehind: tasks, log };
  const lanes: Record<Lane, TaskLane> = {
    worker: new TaskLane({ ...common, name: "worker", concurrency: tasks, attend: attendInWorker }),
    child: new TaskLane({ ...common, name: "child", concurrency: children, attend: attendInChild }),
  };

  return {
    restingMs: (lane) => lanes[lane].restingMs,
    idleReason() {
      if (closing) return "it is closing";
      if (redis.status !== "ready") return "Redis is away";
      return pool.startFault && `it takes no photos: ${pool.startFault}`;
    },
    async close() {
      closing = true;
      share.close();
      const drained = setTimeout(() => leases.stopAll(), options.drainMs);
      await Promise.all(LANES.map((lane) => lanes[lane].close()));
      clearTimeout(drained);
      redis.disconnect();
    },
  };
}

type Attend = (hint: HintData, onWorked: () => void) => Promise<number | null>;

function createAttendance(deps: ExecuteDeps, isClosing: () => boolean): Attend {
  /**
   * Keeps a hint while the database is unavailable. When the worker closes, another worker takes
   * the hint.
   */
  async function untilClaimed(attemptDeps: ExecuteDeps, hint: HintData): Promise<number | null> {
    let isRepeat = false;
    while (!isClosing()) {
      try {
        return await executeTask(attemptDeps, hint, { isRepeat });
      } catch (error) {
        if (!(error instanceof ServiceUnavailableError)) throw error;
        isRepeat = true;
        await pause(PAUSE_MS);
      }
    }
    return 0;
  }

  return async (hint, onWorked) => {
    try {
      return await untilClaimed({ ...deps, onWorked }, hint);
    } catch (error) {
      // The hint is spent; the reconciler finds the row.
      deps.log.error({ err: error, queuedJobId: hint.id }, "an attempt could not be settled");
      return null;
    }
  };
}
