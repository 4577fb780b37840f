import { setTimeout as pause } from "node:timers/promises";
import { ServiceUnavailableError } from "../domain/errors.js";
import { LANES, type Hint, type HintData, type HintQueue, type Lane } from "../queue/hint-queue.js";
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
  hints: Pick<HintQueue, "add">;
}

export interface TaskWorker {
  /** Attends a new hint without the queue. Returns false if the queue is needed. */
  take(hint: Hint): boolean;
  /** Null when the worker takes work, else the reason why not. */
  idleReason(): string | null;
  /** Time without a hint in a lane with room; 0 for a full lane. */
  restingMs(lane: Lane): number;
  /** True while it drains or closes: it finishes what it runs, and takes nothing more. */
  isLeaving(): boolean;
  /** Starts or ends draining. */
  drain(drains: boolean): void;
  /** Takes no more work, lets running tasks finish, and hands the rest back. */
  close(): Promise<void>;
}

const PAUSE_MS = 500;
/** Delay of a hint that came to a worker which cannot start children. */
const SICK_MS = 1000;

/** Turns hints into attempts. */
export function createTaskWorker(deps: ExecuteDeps, options: TaskWorkerOptions): TaskWorker {
  const { log, leases, pool } = deps;
  const { redisUrl: url, prefix, tasks, children } = options;
  const redis = createRedis({ url, prefix, purpose: "work", failFast: false, log });
  redis.on("ready", options.onRedisReady);
  const share = new UserShare(tasks);
  let closing = false;
  let draining = false;
  const isLeaving = () => closing || draining;
  const attend = createAttendance(deps, isLeaving);
  const attendInWorker = withFairShare(attend, share, isLeaving);

  /** Pauses the lane while no child can be started, because another worker may be able to. */
  async function attendInChild(hint: HintData, onWorked: () => void): Promise<number | null> {
    const delayMs = pool.startFault === null ? await attend(hint, onWorked) : SICK_MS;
    if (pool.startFault !== null) {
      lanes.child.pause();
      void pool.untilStartable().then(() => {
        if (!isLeaving()) lanes.child.resume();
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
    take: (hint) =>
      !isLeaving() &&
      hint.delayMs === 0 &&
      lanes[hint.lane].take(hint, (delayMs) => options.hints.add([{ ...hint, delayMs }])),
    restingMs: (lane) => lanes[lane].restingMs,
    isLeaving,
    drain(drains) {
      if (closing || drains === draining) return;
      draining = drains;
      log.info(drains ? "drains: takes no more work" : "takes work again");
      for (const lane of LANES) lanes[lane][drains ? "pause" : "resume"]();
    },
    idleReason() {
      if (closing) return "it is closing";
      if (draining) return "it is draining: an operator has ordered it to take no more work";
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

/**
 * Shares slots between users in the lane of the worker process only. A task there may take minutes,
 * while a child is free again soon.
 */
function withFairShare(attend: Attend, share: UserShare, isLeaving: () => boolean): Attend {
  return async (hint, onWorked) => {
    const { userId } = hint;
    if (userId === undefined) return attend(hint, onWorked);
    const entered = isLeaving() ? 0 : await share.enter(userId);
    if (typeof entered === "number") return entered;
    return attend(hint, onWorked).finally(entered);
  };
}

function createAttendance(deps: ExecuteDeps, isLeaving: () => boolean): Attend {
  /**
   * Keeps a hint while the database is unavailable. When the worker drains or closes, another
   * worker takes the hint.
   */
  async function untilClaimed(attemptDeps: ExecuteDeps, hint: HintData): Promise<number | null> {
    let isRepeat = false;
    while (!isLeaving()) {
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
