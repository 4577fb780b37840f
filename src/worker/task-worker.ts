import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "bullmq";
import type { Job as BullJob } from "bullmq";
import { ServiceUnavailableError } from "../errors.js";
import { LANES, laneQueueName } from "../queue/hint-queue.js";
import type { HintData, Lane } from "../queue/hint-queue.js";
import { createRedis } from "../redis.js";
import { closeBullWorker } from "./close-bull-worker.js";
import { executeTask } from "./execute-task.js";
import type { ExecuteDeps } from "./execute-task.js";
import { createSlots } from "../slots.js";

export interface TaskWorkerOptions {
  redisUrl: string;
  prefix: string;
  /** Tasks of any kind at once. */
  tasks: number;
  /** Of these, tasks in children at once. */
  children: number;
  /** How long running tasks may go on when the worker closes. */
  drainMs: number;
  onRedisReady: () => void;
}

export interface TaskWorker {
  /** Null when it takes work; else why not. */
  idleReason(): string | null;
  /** How long a lane with room has taken nothing; 0 for one that is full. */
  restingMs(lane: Lane): number;
  /** Takes no more work, lets what runs finish, and hands the rest back. */
  close(): Promise<void>;
}

const PAUSE_MS = 500;

/**
 * A hint that was taken and never attended, because its worker died or Redis's answer was lost, is in nobody's hands until
 * its lock has run out and a check has seen that: with these, 15 s at the most. One that comes back too early claims nothing.
 */
const HINT_LOCK = { lockDuration: 10_000, stalledInterval: 5000 };

/** Turns hints into attempts. */
export function createTaskWorker(deps: ExecuteDeps, options: TaskWorkerOptions): TaskWorker {
  const { log, leases } = deps;
  const redis = createRedis({ url: options.redisUrl, purpose: "work", failFast: false, log });
  redis.on("ready", options.onRedisReady);
  const lanes = new Map(LANES.map((lane) => [lane, { room: lane === "child" ? options.children : options.tasks, takenAt: Date.now() }]));
  // While Redis was away there was nothing to take.
  redis.on("ready", () => lanes.forEach((state) => (state.takenAt = Date.now())));
  const slots = createSlots(options.tasks);
  const running = new Set<Promise<void>>();
  const workers = LANES.map((lane) => startLane(lane, lane === "child" ? options.children : options.tasks));
  let closing = false;

  function startLane(lane: Lane, concurrency: number): Worker<HintData> {
    const worker = new Worker<HintData>(laneQueueName(lane), (bullJob) => take(lane, bullJob), { ...HINT_LOCK, connection: redis, prefix: options.prefix, concurrency, removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } });
    // "Missing key for job" comes here after Redis lost its data: the row has the result all the same.
    worker.on("error", (error) => log.debug({ err: error, lane }, "the queue has an error"));
    return worker;
  }

  /** Resolves when the lane has room for another: when the attempt has ended, or needs its child no more, or hardly. */
  function take(lane: Lane, bullJob: BullJob<HintData>): Promise<void> {
    const state = lanes.get(lane);
    if (state) Object.assign(state, { room: state.room - 1, takenAt: Date.now() });
    return new Promise((resolve) => {
      let left = false;
      function leave(): void {
        if (left) return;
        left = true;
        if (state) Object.assign(state, { room: state.room + 1, takenAt: Date.now() });
        resolve();
      }
      const attempt = attend(bullJob, leave).finally(() => {
        running.delete(attempt);
        leave();
      });
      running.add(attempt);
    });
  }

  async function attend(bullJob: BullJob<HintData>, onWorked: () => void): Promise<void> {
    await slots.take();
    try {
      await untilAvailable(() => executeTask({ ...deps, onWorked }, bullJob.data));
    } catch (error) {
      // The hint is spent; the reconciler finds the row.
      log.error({ err: error, queuedJobId: bullJob.data.id }, "an attempt could not be settled");
    } finally {
      slots.free();
    }
  }

  /** Keeps a hint, rather than spend it, while it cannot be claimed because the database is away. */
  async function untilAvailable(work: () => Promise<void>): Promise<void> {
    while (!closing) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ServiceUnavailableError)) throw error;
        await pause(PAUSE_MS);
      }
    }
  }

  return {
    restingMs(lane) {
      const state = lanes.get(lane);
      return state && state.room > 0 ? Date.now() - state.takenAt : 0;
    },
    idleReason: () => (closing ? "it is closing" : redis.status === "ready" ? null : "Redis is away"),
    async close() {
      closing = true;
      const drained = setTimeout(() => leases.stopAll(), options.drainMs);
      const closed = Promise.all(workers.map((worker) => closeBullWorker(worker, redis, () => running.size > 0)));
      await Promise.all(running);
      clearTimeout(drained);
      await closed;
      redis.disconnect();
    },
  };
}
