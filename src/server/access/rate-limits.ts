import type { FastifyInstance, FastifyRequest } from "fastify";
import { QuotaExceededError } from "../../domain/errors.js";
import type { Logger } from "../../runtime/logger.js";
import { networkOf } from "../http/client-address.js";
import { withTimeout } from "../../runtime/deadline.js";
import { createRedis } from "../../runtime/redis.js";

// Limits requests per minute. Each process counts locally and reports to Redis every half second;
// Redis adds up the counts. Asking Redis for each request, like @fastify/rate-limit, has three
// drawbacks. It costs a round trip, does not cover sockets, and limits nothing while Redis is
// unavailable.

/** Each `take…` counts one more. It throws QuotaExceededError above the limit of this minute. */
export interface RateLimits {
  /** Counts a request, or an operation on a socket, of a signed-in user. */
  takeOfUser(userId: string): Promise<void>;
  /** Counts a request without a token. */
  takeOfAddress(address: string): Promise<void>;
  /**
   * Counts a rejected token. Users with valid tokens are not affected by others at the same
   * address.
   */
  takeFailure(address: string): Promise<void>;
  /**
   * Throws QuotaExceededError, so that the next token is not verified, when too many tokens of this
   * network were rejected. For valid tokens, it lets a few pass each second. It also lets a token
   * pass whose subject had a verified token recently.
   */
  checkVerification(address: string, namesVerifiedSubject: () => boolean): void;
  close(): Promise<void>;
}

interface RateLimitsOptions {
  redisUrl: string;
  prefix: string;
  /** 0 means no limit. */
  requestsPerMinute: number;
  log: Logger;
  now?: () => number;
  timeoutMs?: number;
}

/**
 * Timeout for Redis when a caller is first seen in a minute. Waiting lets this process refuse a
 * caller at once whom another process, or this one before a restart, refused.
 */
const TIMEOUT_MS = 100;
/** The part of the limit that rejected tokens of one address may use. */
const FAILURES_PART = 0.1;
/** Tokens of a network that are verified each second after too many of its tokens were rejected. */
const VERIFICATIONS_PER_SECOND = 20;

/** The counted requests, as error messages name them: "at most 60 …". */
const REQUESTS = "requests";
const REQUESTS_WITHOUT_TOKEN = "requests without a token from your address";
const REJECTED_TOKENS = "invalid tokens from your address";

export function createRateLimits(options: RateLimitsOptions): RateLimits {
  const { requestsPerMinute, now = Date.now, timeoutMs = TIMEOUT_MS } = options;
  const counts = new MinuteCounts({ ...options, now, timeoutMs: timeoutMs });
  const maxFailures = Math.ceil(requestsPerMinute * FAILURES_PART);
  const verifications = { second: 0, ofNetwork: new Map<string, number>() };

  async function take(key: string, limit: number, counted: string): Promise<void> {
    if (limit === 0) return;
    const time = now();
    const { count, mine } = await counts.add(key);
    if (count.others + mine > limit) throw exceeded(limit, counted, time);
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
    if (count > VERIFICATIONS_PER_SECOND) throw exceeded(maxFailures, REJECTED_TOKENS, time);
  }

  return {
    takeOfUser: (userId) => take(`user:${userId}`, requestsPerMinute, REQUESTS),
    takeOfAddress: (address) =>
      take(`address:${networkOf(address)}`, requestsPerMinute, REQUESTS_WITHOUT_TOKEN),
    takeFailure: (address) => take(`failures:${networkOf(address)}`, maxFailures, REJECTED_TOKENS),
    checkVerification,
    close: () => counts.close(),
  };
}

function exceeded(limit: number, counted: string, time: number): QuotaExceededError {
  return new QuotaExceededError(
    `Rate limit exceeded: at most ${limit} ${counted} per minute; retry in the next minute.`,
    (windowOf(time) + 1) * WINDOW_MS - time,
  );
}

/** Probes are never refused, whatever else comes from their address. */
const PROBED = /^\/(health\/|metrics$)/;
/** Routes that verify a token and count requests by user. */
const SIGNED_IN = new Set(["/graphql", "/graphql/stream", "/photos"]);

/** Counts requests by address when they have no token, or when their route does not verify one. */
export function limitAddresses(app: FastifyInstance, rateLimits: RateLimits): void {
  // Most requests are counted elsewhere, and need not wait for a promise.
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

/** The number of requests of a caller in this minute. */
interface Count {
  /** Requests in this process, and how many of them were reported to Redis. */
  own: number;
  reported: number;
  /** Requests in other processes, as of the last report to Redis. */
  others: number;
}

/** The counts of one minute, which are dropped together when it ends. */
interface Minute {
  window: number;
  counts: Map<string, Count>;
  /** Counts that are not reported to Redis yet, by the same keys. */
  unreported: Map<string, Count>;
}

interface MinuteCountsOptions {
  redisUrl: string;
  prefix: string;
  log: Logger;
  now: () => number;
  /** Timeout for Redis when a caller is first seen in a minute. */
  timeoutMs: number;
}

const WINDOW_MS = 60_000;
const REPORT_MS = 500;
/** Callers per Redis pipeline. */
const BATCH_SIZE = 200;
/** Maximum callers that are counted within a minute; the first seen are dropped first. */
const MAX_CALLERS = 100_000;

/**
 * Counts requests per clock minute in this process. Redis adds up the counts of all processes. A
 * process reports every half second, and at once when it first sees a caller in a minute. While
 * Redis is unavailable, each process limits by its own counts.
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
      prefix: options.prefix,
      purpose: "rate limits",
      failFast: true,
      log: options.log,
    });
    this.#options = options;
    this.#redis = redis;
    this.#minute = newMinute(options.now());
    // The event "close" means that the first attempt to connect has failed.
    this.#reporting = new Promise((resolve) => redis.once("ready", resolve).once("close", resolve));
    this.#timer = setInterval(() => {
      if (this.#minuteOf(options.now()).unreported.size > 0) void this.#report();
    }, REPORT_MS);
  }

  find(key: string): Count | undefined {
    return this.#minuteOf(this.#options.now()).counts.get(key);
  }

  /** Counts one more. Resolves with the caller's count and the number of this request. */
  async add(key: string): Promise<{ count: Count; mine: number }> {
    const { counts, unreported } = this.#minuteOf(this.#options.now());
    const existing = counts.get(key);
    const count = existing ?? { own: 0, reported: 0, others: 0 };
    // Number it before the wait for Redis: requests that arrive in between come after it.
    const mine = ++count.own;
    unreported.set(key, count);
    if (!existing) {
      const [oldest] = counts.size >= MAX_CALLERS ? counts.keys() : [];
      if (oldest !== undefined) for (const map of [counts, unreported]) map.delete(oldest);
      counts.set(key, count);
      await withTimeout(this.#report(), this.#options.timeoutMs, () => null);
    }
    return { count, mine };
  }

  /** Reports the remaining counts, if Redis answers in time. */
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
   * Resolves when the current counts are reported. Requests during a report go into the next one.
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

  /** Returns false when Redis did not answer. */
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
