import { Redis } from "ioredis";
import type { Logger } from "./logger.js";

const TIMEOUT_MS = 2000;
/** How often an idle connection is asked whether it is still answered. */
const PING_MS = 3000;
/**
 * How long an answer may take until the connection is given up for a new one; the kernel would wait
 * for a quarter of an hour. Twice as long for copies, on which BullMQ waits in calls of up to 10 s.
 */
const ANSWER_MS = 6000;
/** Bytes that may wait to be sent, on connections whose commands fail rather than wait. */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024;

export interface RedisOptions {
  url: string;
  purpose: string;
  failFast: boolean;
  log: Logger;
  pingMs?: number;
  answerMs?: number;
}

/** Refuses commands while much waits to be sent: for a peer that does not read it would pile up. */
class FailFastRedis extends Redis {
  override sendCommand(...[command, stream]: Parameters<Redis["sendCommand"]>): unknown {
    if (this.status === "ready" && this.stream.writableLength > MAX_UNSENT_BYTES) {
      command.reject(new Error("Redis does not read what it is sent."));
      return command.promise;
    }
    return super.sendCommand(command, stream);
  }
}

/**
 * A connection to Redis that reconnects for ever. `failFast`: commands fail at once while it is
 * away, for what a request waits for; otherwise they wait, as BullMQ's workers and subscribers
 * must.
 */
export function createRedis(options: RedisOptions): Redis {
  const { failFast, log, purpose, pingMs = PING_MS, answerMs = ANSWER_MS } = options;
  const redis = new (failFast ? FailFastRedis : Redis)(options.url, {
    connectionName: purpose,
    retryStrategy: (attempt) => Math.min(attempt * 100, 1000),
    connectTimeout: TIMEOUT_MS,
    socketTimeout: answerMs,
    enableOfflineQueue: !failFast,
    maxRetriesPerRequest: failFast ? 1 : null,
    // Of one that is there but does not answer, too, nobody waits for long.
    ...(failFast && { commandTimeout: TIMEOUT_MS }),
  });
  let away = false;
  const tellAway = (error: Error, what: string) => {
    if (!away) log.error({ err: error, purpose }, `${what}; trying again until it is back`);
    away = true;
  };
  redis.on("error", (error) => tellAway(error, "Redis is away"));
  // One that takes the connection and never says a word is no error to anybody.
  redis.on("connect", () => {
    const silence = setTimeout(() => {
      tellAway(
        new Error(`no word within ${TIMEOUT_MS} ms of the connection`),
        "Redis takes connections but does not answer",
      );
      redis.disconnect(true);
    }, TIMEOUT_MS);
    for (const end of ["data", "close"]) redis.stream.once(end, () => clearTimeout(silence));
  });
  redis.on("ready", () => {
    if (away) log.info({ purpose }, "Redis is back");
    away = false;
  });
  keepAsking(redis, pingMs);
  const copy = redis.duplicate.bind(redis);
  redis.duplicate = ((override: object) => {
    const made = copy({ ...override, socketTimeout: 2 * answerMs });
    keepAsking(made, pingMs);
    return made;
  }) as Redis["duplicate"];
  return redis;
}

/** A connection is given up only while it waits for an answer; a subscriber waits for none. */
function keepAsking(redis: Redis, pingMs: number): void {
  let pings: NodeJS.Timeout | undefined;
  redis.on("ready", () => {
    clearInterval(pings);
    pings = setInterval(() => redis.ping().catch(() => {}), pingMs).unref();
  });
  redis.on("close", () => clearInterval(pings));
}
