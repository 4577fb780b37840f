import type { Logger } from "../../runtime/logger.js";
import { withPatience } from "../../runtime/patience.js";
import { createRedis } from "../../runtime/redis.js";

/** How often a caller has come in this minute. */
export interface Count {
  /** Here, and how many of these Redis knows of. */
  own: number;
  reported: number;
  /** Elsewhere, as of the last report to Redis. */
  others: number;
}

/** Everything that is counted ends with its minute, and is dropped as a whole. */
interface Minute {
  window: number;
  counts: Map<string, Count>;
  /** What Redis does not know yet, by the same keys. */
  unreported: Map<string, Count>;
}

export interface MinuteCountsOptions {
  redisUrl: string;
  prefix: string;
  log: Logger;
  now: () => number;
  /** For Redis, when a caller is first seen in a minute. */
  timeoutMs: number;
}

export const WINDOW_MS = 60_000;
const REPORT_MS = 500;
/** Callers whose counts are sent in one go. */
const BATCH_SIZE = 200;
/** Callers that are remembered within a minute; the first seen are forgotten first. */
const MAX_CALLERS = 100_000;

/**
 * Counts by the minute of the clock, in this process. Redis adds up those of all processes; each
 * reports every half second, and at once for a caller that it sees for the first time in a minute.
 * While Redis is away each counts for itself.
 */
export class MinuteCounts {
  readonly #options: MinuteCountsOptions;
  readonly #redis: ReturnType<typeof createRedis>;
  readonly #timer: NodeJS.Timeout;
  #minute: Minute;
  #reporting: Promise<void>;
  #next: Promise<void> | null = null;

  constructor(options: MinuteCountsOptions) {
    const redis = createRedis({
      url: options.redisUrl,
      purpose: "rate limits",
      failFast: true,
      log: options.log,
    });
    this.#options = options;
    this.#redis = redis;
    this.#minute = newMinute(options.now());
    // Or the first try to connect has failed.
    this.#reporting = new Promise((resolve) => redis.once("ready", resolve).once("close", resolve));
    this.#timer = setInterval(() => {
      if (this.#minuteOf(options.now()).unreported.size > 0) void this.#report();
    }, REPORT_MS);
  }

  find(key: string): Count | undefined {
    return this.#minuteOf(this.#options.now()).counts.get(key);
  }

  /** Counts one more of this caller; resolves with the count and the number of that one here. */
  async add(key: string): Promise<{ count: Count; mine: number }> {
    const { counts, unreported } = this.#minuteOf(this.#options.now());
    const found = counts.get(key);
    const count = found ?? { own: 0, reported: 0, others: 0 };
    // One that has to wait for Redis is not counted behind those that come in between.
    const mine = ++count.own;
    unreported.set(key, count);
    if (!found) {
      const [oldest] = counts.size >= MAX_CALLERS ? counts.keys() : [];
      if (oldest !== undefined) for (const map of [counts, unreported]) map.delete(oldest);
      counts.set(key, count);
      await withPatience(this.#report(), this.#options.timeoutMs, () => null);
    }
    return { count, mine };
  }

  /** Reports what is left, if Redis answers in time. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await withPatience(this.#report(), this.#options.timeoutMs, () => null);
    this.#redis.disconnect();
  }

  #minuteOf(time: number): Minute {
    if (this.#minute.window !== windowOf(time)) this.#minute = newMinute(time);
    return this.#minute;
  }

  /**
   * Resolves when Redis knows what is counted now. What comes while a report is under way goes with
   * the next one.
   */
  #report(): Promise<void> {
    this.#next ??= this.#reporting.then(() => {
      this.#next = null;
      this.#reporting = this.#reportAll(this.#minute);
      return this.#reporting;
    });
    return this.#next;
  }

  async #reportAll({ window, unreported }: Minute): Promise<void> {
    const entries = [...unreported];
    for (let i = 0; i < entries.length; i += BATCH_SIZE) {
      const batch = entries.slice(i, i + BATCH_SIZE);
      if (this.#redis.status !== "ready" || !(await this.#send(batch, window, unreported))) return;
    }
  }

  /** False when Redis did not answer. */
  async #send(
    batch: [string, Count][],
    window: number,
    unreported: Minute["unreported"],
  ): Promise<boolean> {
    const pipeline = this.#redis.pipeline();
    const sent = batch.map(([key, count]) => {
      const name = `${this.#options.prefix}:rate:${window}:${key}`;
      pipeline.incrby(name, count.own - count.reported).pexpire(name, 2 * WINDOW_MS);
      unreported.delete(key);
      return { key, count, own: count.own };
    });
    const answers = await pipeline.exec().catch((error: unknown) => {
      this.#options.log.debug({ err: error }, "requests could not be reported to Redis");
      return null;
    });
    for (const [i, { key, count, own }] of sent.entries()) {
      const all = answers?.[2 * i]?.[1];
      if (typeof all === "number") Object.assign(count, { reported: own, others: all - own });
      else unreported.set(key, count);
    }
    return answers !== null;
  }
}

export const windowOf = (time: number): number => Math.floor(time / WINDOW_MS);

const newMinute = (time: number): Minute => ({
  window: windowOf(time),
  counts: new Map(),
  unreported: new Map(),
});
