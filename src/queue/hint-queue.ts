// A queue job is a hint that a row is due. It may be lost, repeated or late without harm. The row
// decides, and the reconciler adds missing hints from the rows.
import { Queue, type JobsOptions } from "bullmq";
import { ServiceUnavailableError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import { withTimeout } from "../runtime/deadline.js";
import { createRedis } from "../runtime/redis.js";
import { RedisMemory } from "./redis-memory.js";

/**
 * Two lanes keep photos from delaying cheap tasks, because a worker decodes only a few photos at
 * once.
 */
export const LANES = ["worker", "child"] as const;
export type Lane = (typeof LANES)[number];
export const laneQueueName = (lane: Lane) => `tasks-in-${lane}`;

/** Queue of the schedulers of recurring maintenance; it holds no hints. */
export const MAINTENANCE_QUEUE = "upkeep";

export interface HintData {
  id: string;
  run: number;
  requestId: string;
  /** The owner; absent from hints that an older version added. */
  userId?: string;
  /** True if the QueuedJob has a group; absent without one. */
  grouped?: true;
  /**
   * W3C traceparent of the operation that added it; absent without tracing or when the reconciler
   * added it.
   */
  traceparent?: string;
}

export interface Hint extends HintData {
  /** The owner, whose share of a lane the hint counts against. */
  userId: string;
  lane: Lane;
  priority: number;
  /** Number of the owner's unfinished QueuedJobs of at least this priority. */
  backlog: number;
  /** Delay from now; a hint with more than MAX_DELAY_MS is left to the reconciler. */
  delayMs: number;
}

export interface HintQueue {
  /**
   * Adds hints; an existing hint stays unchanged. Resolves within a second, even if adding failed.
   * Adds none while Redis is nearly full, but leaves them to the reconciler.
   */
  add(hints: Hint[]): Promise<void>;
  /**
   * Adds the missing hints and returns their number. Throws ServiceUnavailableError while Redis is
   * unavailable, or has no room for them.
   */
  addMissing(hints: Hint[]): Promise<number>;
  /**
   * Returns true if Redis has lost its data since any process last called this. Returns false while
   * Redis is unavailable.
   */
  hasForgotten(): Promise<boolean>;
  /**
   * Makes `hasForgotten` return true, so that the reconciler restores all missing hints at once;
   * best effort.
   */
  reportLost(): Promise<void>;
  /** Removes the hint of a row that will not run; best effort. */
  remove(lane: Lane, id: string, run: number): Promise<void>;
  /** Returns the share of Redis's memory limit in use; null if it is unknown or without limit. */
  memoryUsed(): Promise<number | null>;
  close(): Promise<void>;
}

/** Maximum delay of a hint. */
export const MAX_DELAY_MS = 60_000;
const TIMEOUT_MS = 1000;
const BATCH_SIZE = 1000;
const NO_ROOM = "Redis is nearly full; hints are added when it has room";
/** Hints of a lane that are added even while Redis is nearly full. */
const FEW = 500;
/** Hints that one command checks, which is ten times cheaper than one command each. */
const GROUP_SIZE = 100;

interface HintQueueOptions {
  redisUrl: string;
  prefix: string;
  log: Logger;
  carry?: (() => string | undefined) | undefined;
}

export function createHintQueue(options: HintQueueOptions): HintQueue {
  const { redisUrl: url, prefix, log, carry } = options;
  const redis = createRedis({ url, prefix, purpose: "hints", failFast: true, log });
  const queues = openQueues(redis, options);
  const remembers = `${prefix}:remembers`;
  const memory = new RedisMemory(redis);
  const attempt = bestEffort(log);

  const { addToLane, addMissing } = createAdder({ redis, queues, memory, carry });

  return {
    async add(hints) {
      const near = hints.filter((hint) => hint.delayMs <= MAX_DELAY_MS);
      if (memory.isNearlyFull) return log.debug({ hints: near.length }, NO_ROOM);
      const ofLane = (lane: Lane) => near.filter((hint) => hint.lane === lane);
      const added = Promise.all(LANES.map((lane) => addToLane(lane, ofLane(lane))));
      const about = { hints: near.length };
      await attempt(added, about, "hints were not added; the reconciler will add them");
    },
    addMissing,
    hasForgotten: () =>
      redis.set(remembers, "1", "NX").then(
        (set) => set === "OK",
        () => false,
      ),
    async reportLost() {
      await attempt(redis.del(remembers), {}, "lost hints were not reported; a later sweep is due");
    },
    async remove(lane, id, run) {
      const removed = queues.get(lane)?.remove(hintId(id, run)) ?? Promise.resolve();
      await attempt(removed, { queuedJobId: id }, "a hint was not removed");
    },
    memoryUsed: () => memory.read(),
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close().catch(() => {})));
      redis.disconnect();
    },
  };
}

/** Waits at most TIMEOUT_MS for the work, and ignores its outcome. */
function bestEffort(log: Logger) {
  return (work: Promise<unknown>, about: object, failure: string) =>
    withTimeout(
      work.catch((error: unknown) => log.debug({ err: error, ...about }, failure)),
      TIMEOUT_MS,
      () => null,
    );
}

type Redis = ReturnType<typeof createRedis>;

/** The functions that add hints to the queues. */
function createAdder({
  redis,
  queues,
  memory,
  carry,
}: {
  redis: Redis;
  queues: ReadonlyMap<Lane, Queue<HintData>>;
  memory: RedisMemory;
  carry: HintQueueOptions["carry"];
}) {
  async function addToLane(lane: Lane, hints: Hint[]): Promise<void> {
    const queue = queues.get(lane);
    if (queue && hints.length > 0) await addToQueue(queue, hints, carry?.());
  }

  async function addMissingOf(lane: Lane, hints: Hint[]): Promise<number> {
    const queue = queues.get(lane);
    if (!queue) throw new ServiceUnavailableError("Redis is unavailable.");
    const missing = await findMissing(redis, queue, hints);
    // Even when it is nearly full, it has room for some, so that the workers have work.
    const room = memory.isNearlyFull ? FEW - (await queue.getPrioritizedCount()) : missing.length;
    await addToLane(lane, missing.slice(0, Math.max(0, room))).catch((error: unknown) => {
      throw new ServiceUnavailableError("Redis has refused hints.", { cause: error });
    });
    if (room < missing.length) throw new ServiceUnavailableError(NO_ROOM);
    return missing.length;
  }

  async function addMissing(hints: Hint[]): Promise<number> {
    let added = 0;
    for (const lane of LANES) {
      const laneHints = hints.filter((hint) => hint.lane === lane);
      // Checking is ten times cheaper than adding an existing hint.
      for (let i = 0; i < laneHints.length; i += BATCH_SIZE)
        added += await addMissingOf(lane, laneHints.slice(i, i + BATCH_SIZE));
    }
    return added;
  }

  return { addToLane, addMissing };
}

/** Opens the queue of each lane once Redis is first ready. */
function openQueues(
  redis: Redis,
  { prefix, log }: HintQueueOptions,
): ReadonlyMap<Lane, Queue<HintData>> {
  const queues = new Map<Lane, Queue<HintData>>();

  function buildQueue(lane: Lane): Queue<HintData> {
    const queue = new Queue<HintData>(laneQueueName(lane), {
      connection: redis,
      prefix,
      skipWaitingForReady: true,
      skipMetasUpdate: true,
    });
    queue.on("error", (error) => log.debug({ err: error, lane }, "the queue has an error"));
    return queue;
  }

  // Beware: a Queue that is built before its fail-fast connection is ready stays broken.
  redis.on("ready", () => {
    for (const lane of LANES) if (!queues.has(lane)) queues.set(lane, buildQueue(lane));
  });
  return queues;
}

async function addToQueue(
  queue: Queue<HintData>,
  hints: Hint[],
  here: string | undefined,
): Promise<void> {
  const jobs = hints.map(
    ({ id, run, requestId, userId, grouped, traceparent = here, ...hint }) => ({
      name: "hint",
      data: {
        id,
        run,
        requestId,
        userId,
        ...(grouped && { grouped }),
        ...(traceparent && { traceparent }),
      },
      opts: bullOptions({ id, run, ...hint }),
    }),
  );
  const [one, ...more] = jobs;
  // A pipeline is expensive to set up.
  if (one && more.length === 0) await queue.add(one.name, one.data, one.opts);
  else await queue.addBulk(jobs);
}

/** Checks whole groups first, and single hints only in incomplete groups. */
async function findMissing(redis: Redis, queue: Queue<HintData>, hints: Hint[]): Promise<Hint[]> {
  const keyOf = ({ id, run }: Hint) => queue.toKey(hintId(id, run));
  const groups: Hint[][] = [];
  for (let i = 0; i < hints.length; i += GROUP_SIZE) groups.push(hints.slice(i, i + GROUP_SIZE));
  const counts = await countKeys(
    redis,
    groups.map((group) => group.map(keyOf)),
  );
  const candidates = groups.flatMap((group, i) => (counts[i] === group.length ? [] : group));
  const matches = await countKeys(
    redis,
    candidates.map((hint) => [keyOf(hint)]),
  );
  return candidates.filter((_, i) => matches[i] === 0);
}

/** Counts the existing keys of each group. */
async function countKeys(redis: Redis, groups: string[][]): Promise<number[]> {
  const batch = redis.pipeline();
  for (const keys of groups) batch.exists(...keys);
  const answers = (await batch.exec()) ?? [];
  if (answers.some(([error]) => error)) throw new ServiceUnavailableError("Redis is unavailable.");
  return answers.map(([, count]) => count as number);
}

/**
 * The separator is `.`, because BullMQ refuses `:`. The run is included: BullMQ ignores an id that
 * is still active.
 */
export function hintId(id: string, run: number): string {
  return `${id}.${run}`;
}

function bullOptions(hint: Omit<Hint, "requestId" | "userId">): JobsOptions {
  return {
    jobId: hintId(hint.id, hint.run),
    attempts: 1,
    removeOnComplete: true,
    removeOnFail: true,
    priority: hintPriority(hint.priority, hint.backlog),
    ...(hint.delayMs > 0 && { delay: hint.delayMs }),
  };
}

const LOWEST = 2 ** 21 - 1;

/** Block size: an owner's hints are ordered exactly by priority within a block. */
export const HINT_BLOCK = 16;

/**
 * Returns BullMQ's priority of a hint (1 runs first). The owner's backlog puts the hint into a
 * block of 16. Within a block, an owner's hints are ordered exactly by priority. Another user's
 * first hint is always in the front block. `priority` is the QueuedJob's (0 to 100, higher runs
 * first); `backlog` counts the owner's unfinished QueuedJobs of at least this priority.
 */
export function hintPriority(priority: number, backlog: number): number {
  return Math.min(LOWEST, 1 + Math.floor(backlog / HINT_BLOCK) * 101 + (100 - priority));
}
