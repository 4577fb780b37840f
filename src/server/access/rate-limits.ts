import type { FastifyInstance, FastifyRequest } from "fastify";
import { QuotaExceededError } from "../../domain/errors.js";
import type { Logger } from "../../runtime/logger.js";
import { MinuteCounts, WINDOW_MS, windowOf } from "./minute-counts.js";
import { networkOf } from "../http/client-address.js";

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

export interface RateLimitsOptions {
  redisUrl: string;
  prefix: string;
  /** 0: no limit at all. */
  requestsPerMinute: number;
  log: Logger;
  now?: () => number;
  patienceMs?: number;
}

/**
 * For Redis, when somebody is first seen in a minute; one that another process refused, or this one
 * before a restart, is refused at once.
 */
const PATIENCE_MS = 100;
/** Tokens that do not hold are a part of what one address may ask. */
const FAILURES_PART = 0.1;
const FAILURES = "Too many tokens that do not hold from your address";
/** Tokens of a network that are verified each second once too many of its tokens did not hold. */
const VERIFICATIONS_PER_SECOND = 20;

export function createRateLimits(options: RateLimitsOptions): RateLimits {
  const { requestsPerMinute: most, now = Date.now, patienceMs = PATIENCE_MS } = options;
  const counts = new MinuteCounts({ ...options, now, timeoutMs: patienceMs });
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
