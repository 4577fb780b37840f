// A queue job is a hint that a row is due. It may be lost, doubled or late without harm: the row
// decides, and what is missing here is put back from the rows.
import { Queue, type JobsOptions } from "bullmq";
import { ServiceUnavailableError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import { withTimeout } from "../runtime/deadline.js";
import { createRedis } from "../runtime/redis.js";

/**
 * Two lanes, so that photos, of which a worker decodes a few at once, never stand before tasks that
 * cost nothing.
 */
export const LANES = ["worker", "child"] as const;
export type Lane = (typeof LANES)[number];
export const laneQueueName = (lane: Lane) => `tasks-in-${lane}`;

/** In it stand the schedulers of what recurs, and no hints. */
export const UPKEEP_QUEUE = "upkeep";

export interface HintData {
  id: string;
  run: number;
  requestId: string;
  /** Whose it is; absent from hints that an older version added. */
  userId?: string;
  /**
   * W3C traceparent of what added it; absent where nothing is traced, or where the reconciler did.
   */
  traceparent?: string;
}

export interface Hint extends HintData {
  lane: Lane;
  priority: number;
  /** Unfinished QueuedJobs that the owner had of at least this priority. */
  backlog: number;
  /** From now; over MAX_DELAY_MS it is left to the reconciler. */
  delayMs: number;
}

export interface HintQueue {
  /**
   * Adds hints; one that is there already stays as it is. Resolves after a second at the latest,
   * whatever became of them.
   */
  add(hints: Hint[]): Promise<void>;
  /**
   * Adds those that are not there; returns how many there were. Throws ServiceUnavailableError
   * while Redis is away.
   */
  addMissing(hints: Hint[]): Promise<number>;
  /**
   * Whether Redis has lost its data since this was last asked, by whichever process; false while it
   * is away.
   */
  hasForgotten(): Promise<boolean>;
  /** Takes hints of a row that will not run back; best effort. */
  remove(lane: Lane, id: string, run: number): Promise<void>;
  close(): Promise<void>;
}

/** The longest that a hint is kept back. */
export const MAX_DELAY_MS = 60_000;
const TIMEOUT_MS = 1000;
const CHUNK = 1000;
/** Hints that are asked for in one command, which is ten times cheaper than one command each. */
const GROUP = 100;

interface HintQueueOptions {
  redisUrl: string;
  prefix: string;
  log: Logger;
  carry?: () => string | undefined;
}

export function createHintQueue(options: HintQueueOptions): HintQueue {
  const { log, carry } = options;
  const redis = createRedis({ url: options.redisUrl, purpose: "hints", failFast: true, log });
  const queues = openQueues(redis, options);

  const addToLane = async (lane: Lane, hints: Hint[]) => {
    const queue = queues.get(lane);
    if (queue && hints.length > 0) await addToQueue(queue, hints, carry?.());
  };

  /** Waits no longer than it is patient, whatever becomes of it. */
  const attempt = (done: Promise<unknown>, about: object, failure: string) =>
    withTimeout(
      done.catch((error: unknown) => log.debug({ err: error, ...about }, failure)),
      TIMEOUT_MS,
      () => null,
    );

  async function addMissingOf(lane: Lane, hints: Hint[]): Promise<number> {
    const queue = queues.get(lane);
    if (!queue) throw new ServiceUnavailableError("Redis is away.");
    const missing = await findMissing(redis, queue, hints);
    await addToLane(lane, missing);
    return missing.length;
  }

  return {
    async add(hints) {
      const near = hints.filter((hint) => hint.delayMs <= MAX_DELAY_MS);
      const ofLane = (lane: Lane) => near.filter((hint) => hint.lane === lane);
      const added = Promise.all(LANES.map((lane) => addToLane(lane, ofLane(lane))));
      const about = { hints: near.length };
      await attempt(added, about, "hints were not added; the reconciler will");
    },
    async addMissing(hints) {
      let added = 0;
      for (const lane of LANES) {
        const own = hints.filter((hint) => hint.lane === lane);
        // To ask is ten times cheaper than to add again what is there.
        for (let i = 0; i < own.length; i += CHUNK)
          added += await addMissingOf(lane, own.slice(i, i + CHUNK));
      }
      return added;
    },
    hasForgotten: () =>
      redis.set(`${options.prefix}:remembers`, "1", "NX").then(
        (set) => set === "OK",
        () => false,
      ),
    async remove(lane, id, run) {
      const removed = queues.get(lane)?.remove(hintId(id, run)) ?? Promise.resolve();
      await attempt(removed, { queuedJobId: id }, "a hint was not removed");
    },
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close().catch(() => {})));
      redis.disconnect();
    },
  };
}

type Redis = ReturnType<typeof createRedis>;

/** The queue of each lane, from when Redis is there for the first time. */
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

  // Beware: a Queue that is built before its fail-fast connection is ready stays broken for life.
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
  const jobs = hints.map(({ id, run, requestId, userId, traceparent = here, ...hint }) => ({
    name: "hint",
    data: { id, run, requestId, ...(userId && { userId }), ...(traceparent && { traceparent }) },
    opts: bullOptions({ id, run, ...hint }),
  }));
  const [one, ...more] = jobs;
  // A pipeline is dear to set up.
  if (one && more.length === 0) await queue.add(one.name, one.data, one.opts);
  else await queue.addBulk(jobs);
}

/** Asks for whole groups first, and hint by hint only where some of a group are not there. */
async function findMissing(redis: Redis, queue: Queue<HintData>, hints: Hint[]): Promise<Hint[]> {
  const keyOf = ({ id, run }: Hint) => queue.toKey(hintId(id, run));
  const groups: Hint[][] = [];
  for (let i = 0; i < hints.length; i += GROUP) groups.push(hints.slice(i, i + GROUP));
  const counts = await countKeys(
    redis,
    groups.map((group) => group.map(keyOf)),
  );
  const doubtful = groups.flatMap((group, i) => (counts[i] === group.length ? [] : group));
  const found = await countKeys(
    redis,
    doubtful.map((hint) => [keyOf(hint)]),
  );
  return doubtful.filter((_, i) => found[i] === 0);
}

/** How many of each group of keys are there. */
async function countKeys(redis: Redis, groups: string[][]): Promise<number[]> {
  const asked = redis.pipeline();
  for (const keys of groups) asked.exists(...keys);
  const answers = (await asked.exec()) ?? [];
  if (answers.some(([error]) => error)) throw new ServiceUnavailableError("Redis is away.");
  return answers.map(([, count]) => count as number);
}

/**
 * `.` and not `:`, which BullMQ refuses. The run is part of it: adding an id that is still active
 * would be lost.
 */
export function hintId(id: string, run: number): string {
  return `${id}.${run}`;
}

function bullOptions(hint: Omit<Hint, "requestId">): JobsOptions {
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

/** One's own order by priority is exact within so many. */
export const HINT_BLOCK = 16;

/**
 * BullMQ's priority (1 runs first) of a hint. An owner's hints stand in blocks of 16 by how many
 * they already have waiting, so that one's own order by priority is exact within a block, and
 * another user's first is always in the front block.
 * @param priority of the QueuedJob, 0 to 100, higher first
 * @param backlog unfinished QueuedJobs that the owner had of at least this priority
 */
export function hintPriority(priority: number, backlog: number): number {
  return Math.min(LOWEST, 1 + Math.floor(backlog / HINT_BLOCK) * 101 + (100 - priority));
}
