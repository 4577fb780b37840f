// A queue job is a hint that a row is due. It may be lost, doubled or late without harm: the row
// decides, and what is missing here is put back from the rows.
import { Queue, type JobsOptions } from "bullmq";
import { ServiceUnavailableError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import { withPatience } from "../runtime/patience.js";
import { createRedis } from "../runtime/redis.js";
import { hintPriority } from "./hint-priority.js";

/**
 * Two lanes, so that photos, of which a worker decodes a few at once, never stand before tasks that
 * cost nothing.
 */
export const LANES = ["worker", "child"] as const;
export type Lane = (typeof LANES)[number];
export const laneQueueName = (lane: Lane) => `tasks-in-${lane}`;

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
const PATIENCE_MS = 1000;
const CHUNK = 1000;
/** Hints that are asked for in one command, which is ten times cheaper than one command each. */
const GROUP = 100;

export function createHintQueue(options: {
  redisUrl: string;
  prefix: string;
  log: Logger;
  carry?: () => string | undefined;
}): HintQueue {
  const { log } = options;
  const redis = createRedis({ url: options.redisUrl, purpose: "hints", failFast: true, log });
  const queues = new Map<Lane, Queue<HintData>>();
  // Beware: a Queue that is built before its fail-fast connection is ready stays broken for life.
  redis.on("ready", () => {
    for (const lane of LANES) if (!queues.has(lane)) queues.set(lane, buildQueue(lane));
  });

  function buildQueue(lane: Lane): Queue<HintData> {
    const queue = new Queue<HintData>(laneQueueName(lane), {
      connection: redis,
      prefix: options.prefix,
      skipWaitingForReady: true,
      skipMetasUpdate: true,
    });
    queue.on("error", (error) => log.debug({ err: error, lane }, "the queue has an error"));
    return queue;
  }

  async function addToLane(lane: Lane, hints: Hint[]): Promise<void> {
    const queue = queues.get(lane);
    if (hints.length === 0 || !queue) return;
    const here = options.carry?.();
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

  async function add(hints: Hint[]): Promise<void> {
    const near = hints.filter((hint) => hint.delayMs <= MAX_DELAY_MS);
    const added = Promise.all(
      LANES.map((lane) =>
        addToLane(
          lane,
          near.filter((hint) => hint.lane === lane),
        ),
      ),
    );
    await withPatience(
      added.catch((error: unknown) =>
        log.debug({ err: error, hints: near.length }, "hints were not added; the reconciler will"),
      ),
      PATIENCE_MS,
      () => null,
    );
  }

  async function addMissing(hints: Hint[]): Promise<number> {
    let added = 0;
    for (const lane of LANES) {
      const own = hints.filter((hint) => hint.lane === lane);
      // To ask is ten times cheaper than to add again what is there.
      for (let i = 0; i < own.length; i += CHUNK)
        added += await addMissingOf(lane, own.slice(i, i + CHUNK));
    }
    return added;
  }

  async function addMissingOf(lane: Lane, hints: Hint[]): Promise<number> {
    const queue = queues.get(lane);
    if (!queue) throw new ServiceUnavailableError("Redis is away.");
    const keyOf = ({ id, run }: Hint) => queue.toKey(hintId(id, run));
    const groups: Hint[][] = [];
    for (let i = 0; i < hints.length; i += GROUP) groups.push(hints.slice(i, i + GROUP));
    const counts = await countKeys(groups.map((group) => group.map(keyOf)));
    const doubtful = groups.flatMap((group, i) => (counts[i] === group.length ? [] : group));
    const found = await countKeys(doubtful.map((hint) => [keyOf(hint)]));
    const missing = doubtful.filter((_, i) => found[i] === 0);
    await addToLane(lane, missing);
    return missing.length;
  }

  /** How many of each group of keys are there. */
  async function countKeys(groups: string[][]): Promise<number[]> {
    const asked = redis.pipeline();
    for (const keys of groups) asked.exists(...keys);
    const answers = (await asked.exec()) ?? [];
    if (answers.some(([error]) => error)) throw new ServiceUnavailableError("Redis is away.");
    return answers.map(([, count]) => count as number);
  }

  async function remove(lane: Lane, id: string, run: number): Promise<void> {
    const removed = queues.get(lane)?.remove(hintId(id, run)) ?? Promise.resolve();
    await withPatience(
      removed.catch((error: unknown) =>
        log.debug({ err: error, queuedJobId: id }, "a hint was not removed"),
      ),
      PATIENCE_MS,
      () => null,
    );
  }

  return {
    add,
    addMissing,
    hasForgotten: () =>
      redis.set(`${options.prefix}:remembers`, "1", "NX").then(
        (set) => set === "OK",
        () => false,
      ),
    remove,
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close().catch(() => {})));
      redis.disconnect();
    },
  };
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
