import type { FastifyInstance, FastifyRequest } from "fastify";
import { QuotaExceededError } from "../../domain/errors.js";
import type { Logger } from "../../runtime/logger.js";
import { networkOf } from "../http/client-address.js";
import { withTimeout } from "../../runtime/deadline.js";
import { createRedis } from "../../runtime/redis.js";

// How often one may ask, counted by the minute. Each process counts for itself and tells Redis
// every half second, which adds up all of them: to ask Redis for every request, as
// @fastify/rate-limit does, would cost a round trip each time, know nothing of sockets, and leave
// nothing of the limit while Redis is away.

/** Each counts one more, and throws QuotaExceededError when there were too many in this minute. */
export interface RateLimits {
  /** A request, or an operation on a socket, of somebody who signed in. */
  takeOfUser(userId: string): Promise<void>;
  /** A request without a token. */
  takeOfAddress(address: string): Promise<void>;
  /**
   * A token that did not hold. Who has a good one is not harmed by those who share an address with
   * them.
   */
  takeFailure(address: string): Promise<void>;
  /**
   * Throws QuotaExceededError when too many tokens of this network did not hold: the next one is
   * not verified. So that good ones get in, a few each second pass, and those that name a subject
   * whose token was verified lately.
   */
  checkVerification(address: string, namesVerifiedSubject: () => boolean): void;
  close(): Promise<void>;
}

interface RateLimitsOptions {
  redisUrl: string;
  prefix: string;
  /** 0: no limit at all. */
  requestsPerMinute: number;
  log: Logger;
  now?: () => number;
  timeoutMs?: number;
}

/**
 * For Redis, when somebody is first seen in a minute; one that another process refused, or this one
 * before a restart, is refused at once.
 */
const TIMEOUT_MS = 100;
/** Tokens that do not hold are a part of what one address may ask. */
const FAILURES_PART = 0.1;
const FAILURES = "Too many tokens that do not hold from your address";
/** Tokens of a network that are verified each second once too many of its tokens did not hold. */
const VERIFICATIONS_PER_SECOND = 20;

export function createRateLimits(options: RateLimitsOptions): RateLimits {
  const { requestsPerMinute: most, now = Date.now, timeoutMs = TIMEOUT_MS } = options;
  const counts = new MinuteCounts({ ...options, now, timeoutMs: timeoutMs });
  const maxFailures = Math.ceil(most * FAILURES_PART);
  const verifications = { second: 0, ofNetwork: new Map<string, number>() };

  async function take(key: string, limit: number, what: string): Promise<void> {
    if (limit === 0) return;
    const time = now();
    const { count, mine } = await counts.add(key);
    if (count.others + mine > limit) throw exceeded(limit, what, time);
  }

  function checkVerification(address: string, namesVerifiedSubject: () => boolean): void {
    const network = networkOf(address);
    const failures = counts.find(`failures:${network}`);
    if (!failures || failures.others + failures.own < maxFailures || namesVerifiedSubject()) return;
    const time = now();
    const second = Math.floor(time / 1000);
    if (verifications.second !== second)
      Object.assign(verifications, { second, ofNetwork: new Map() });
    const count = (verifications.ofNetwork.get(network) ?? 0) + 1;
    verifications.ofNetwork.set(network, count);
    if (count > VERIFICATIONS_PER_SECOND) throw exceeded(maxFailures, FAILURES, time);
  }

  return {
    takeOfUser: (userId) => take(`user:${userId}`, most, "Too many requests of yours"),
    takeOfAddress: (address) =>
      take(
        `address:${networkOf(address)}`,
        most,
        "Too many requests without a token from your address",
      ),
    takeFailure: (address) => take(`failures:${networkOf(address)}`, maxFailures, FAILURES),
    checkVerification,
    close: () => counts.close(),
  };
}

function exceeded(limit: number, what: string, time: number): QuotaExceededError {
  return new QuotaExceededError(
    `${what}; ${limit} a minute are the most.`,
    (windowOf(time) + 1) * WINDOW_MS - time,
  );
}

/** Whose probes must not be refused, whatever else comes from their address. */
const PROBED = /^\/(health\/|metrics$)/;
/** Where a token is looked at, and its holder counted. */
const SIGNED_IN = new Set(["/graphql", "/graphql/stream", "/photos"]);

/** Counts by address what comes without a token, or goes where none is looked at. */
export function limitAddresses(app: FastifyInstance, rateLimits: RateLimits): void {
  // Most are counted elsewhere, and need not wait for a promise.
  app.addHook("onRequest", (request, _reply, done) => {
    if (isCountedElsewhere(request)) done();
    else void countByAddress(rateLimits, request.ip, done);
  });
}

async function countByAddress(
  rateLimits: RateLimits,
  address: string,
  done: (error?: Error) => void,
): Promise<void> {
  try {
    await rateLimits.takeOfAddress(address);
  } catch (error) {
    return done(error as Error);
  }
  done();
}

function isCountedElsewhere({ routeOptions: { url = "" }, headers }: FastifyRequest): boolean {
  return PROBED.test(url) || (headers.authorization !== undefined && SIGNED_IN.has(url));
}

/** How often a caller has come in this minute. */
interface Count {
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

interface MinuteCountsOptions {
  redisUrl: string;
  prefix: string;
  log: Logger;
  now: () => number;
  /** For Redis, when a caller is first seen in a minute. */
  timeoutMs: number;
}

const WINDOW_MS = 60_000;
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
      await withTimeout(this.#report(), this.#options.timeoutMs, () => null);
    }
    return { count, mine };
  }

  /** Reports what is left, if Redis answers in time. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await withTimeout(this.#report(), this.#options.timeoutMs, () => null);
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

const windowOf = (time: number): number => Math.floor(time / WINDOW_MS);

const newMinute = (time: number): Minute => ({
  window: windowOf(time),
  counts: new Map(),
  unreported: new Map(),
});
