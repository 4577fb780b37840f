// How often one may ask, counted by the minute. Each process counts for itself and tells Redis every half second, which
// adds up all of them: to ask Redis for every request, as @fastify/rate-limit does, would cost a round trip each time,
// know nothing of sockets, and leave nothing of the limit while Redis is away.
import { LRUCache } from "lru-cache";
import { QuotaExceededError } from "../errors.js";
import type { Logger } from "../logger.js";
import { withPatience } from "../patience.js";
import { createRedis } from "../redis.js";
import { networkOf } from "./network-of.js";

/** Each counts one more, and throws QuotaExceededError when there were too many in this minute. */
export interface RateLimits {
  /** A request, or an operation on a socket, of somebody who signed in. */
  takeOfUser(userId: string): Promise<void>;
  /** A request without a token. */
  takeOfAddress(address: string): Promise<void>;
  /** A token that did not hold. Who has a good one is not harmed by those who share an address with them. */
  takeFailure(address: string): Promise<void>;
  close(): Promise<void>;
}

export interface RateLimitsOptions {
  redisUrl: string;
  prefix: string;
  /** 0: no limit at all. */
  requestsPerMinute: number;
  log: Logger;
  now?: () => number;
  patienceMs?: number;
}

interface Count {
  key: string;
  window: number;
  /** Here, and how many of these Redis knows of. */
  own: number;
  told: number;
  /** Elsewhere, when Redis was last told. */
  others: number;
  /** While Redis is being told: nothing is told twice. */
  telling: boolean;
}

const WINDOW_MS = 60_000;
const TELL_MS = 500;
/** For Redis, when somebody is first seen in a minute; whoever was refused by another process, or before a restart, is refused here at once. */
const PATIENCE_MS = 100;
/** Tokens that do not hold are a part of what one address may ask. */
const FAILURES_PART = 0.1;
/** Callers that are remembered; the longest unseen are forgotten first. */
const MOST_CALLERS = 100_000;

export function createRateLimits({ redisUrl, prefix, requestsPerMinute: most, log, now = Date.now, patienceMs = PATIENCE_MS }: RateLimitsOptions): RateLimits {
  const counts = new LRUCache<string, Count>({ max: MOST_CALLERS });
  const untold = new Set<Count>();
  const redis = createRedis({ url: redisUrl, purpose: "rate limits", failFast: true, log });
  // Or the first try to connect has failed.
  const connected = new Promise((resolve) => redis.once("ready", resolve).once("close", resolve));
  let underWay: Promise<unknown> = connected;
  const timer = setInterval(() => void tell([...untold]), TELL_MS);

  function tell(counted: Count[]): Promise<void> {
    const telling = tellNow(counted);
    underWay = Promise.all([underWay, telling]);
    return telling;
  }

  async function tellNow(counted: Count[]): Promise<void> {
    if (redis.status !== "ready") return forget(counted);
    const some = counted.filter((count) => !count.telling);
    if (some.length === 0) return;
    const sent = some.map((count) => count.own);
    const batch = redis.pipeline();
    for (const { key, window, own, told } of some) batch.incrby(`${prefix}:rate:${window}:${key}`, own - told).pexpire(`${prefix}:rate:${window}:${key}`, 2 * WINDOW_MS);
    for (const count of some) {
      count.telling = true;
      untold.delete(count);
    }
    const answers = await batch.exec().catch((error: unknown) => log.debug({ err: error }, "Redis was not told of requests"));
    for (const [i, count] of some.entries()) {
      const all = answers?.[2 * i]?.[1];
      const told = sent[i] ?? 0;
      count.telling = false;
      if (typeof all !== "number") untold.add(count);
      else Object.assign(count, { told, others: all - told });
    }
  }

  /** What belongs to a minute that is over need not be told any more. */
  function forget(some: Count[]): void {
    for (const count of some) if (count.window < windowOf(now())) untold.delete(count);
  }

  async function take(key: string, limit: number, what: string): Promise<void> {
    if (limit === 0) return;
    const time = now();
    const window = windowOf(time);
    const known = counts.get(key);
    const count = known?.window === window ? known : { key, window, own: 0, told: 0, others: 0, telling: false };
    // Who has to wait for Redis is not counted behind those who came meanwhile.
    const mine = ++count.own;
    untold.add(count);
    if (count !== known) {
      counts.set(key, count);
      await withPatience(connected.then(() => tell([count])), patienceMs, () => null);
    }
    if (count.others + mine > limit) throw new QuotaExceededError(`${what}; ${limit} a minute are the most.`, (window + 1) * WINDOW_MS - time);
  }

  return {
    takeOfUser: (userId) => take(`user:${userId}`, most, "Too many requests of yours"),
    takeOfAddress: (address) => take(`address:${networkOf(address)}`, most, "Too many requests without a token from your address"),
    takeFailure: (address) => take(`failures:${networkOf(address)}`, Math.ceil(most * FAILURES_PART), "Too many tokens that do not hold from your address"),
    async close() {
      clearInterval(timer);
      await withPatience(underWay.then(() => tellNow([...untold])), patienceMs, () => null);
      redis.disconnect();
    },
  };
}

const windowOf = (time: number) => Math.floor(time / WINDOW_MS);
