import { Redis } from "ioredis";
import type { Logger } from "./logger.js";

const PATIENCE_MS = 2000;

/**
 * A connection to Redis that reconnects for ever. `failFast`: commands fail at once while it is away, for what a request
 * waits for; otherwise they wait, as BullMQ's workers and subscribers must.
 */
export function createRedis(options: { url: string; purpose: string; failFast: boolean; log: Logger }): Redis {
  const redis = new Redis(options.url, {
    connectionName: options.purpose,
    retryStrategy: (attempt) => Math.min(attempt * 100, 1000),
    connectTimeout: PATIENCE_MS,
    enableOfflineQueue: !options.failFast,
    maxRetriesPerRequest: options.failFast ? 1 : null,
    // Of one that is there but does not answer, too, nobody waits for long.
    ...(options.failFast && { commandTimeout: PATIENCE_MS }),
  });
  let away = false;
  const tellAway = (error: Error, what: string) => {
    if (!away) options.log.error({ err: error, purpose: options.purpose }, `${what}; trying again until it is back`);
    away = true;
  };
  redis.on("error", (error) => tellAway(error, "Redis is away"));
  // One that takes the connection and never says a word is no error to anybody.
  redis.on("connect", () => {
    const silence = setTimeout(() => {
      tellAway(new Error(`no word within ${PATIENCE_MS} ms of the connection`), "Redis takes connections but does not answer");
      redis.disconnect(true);
    }, PATIENCE_MS);
    for (const end of ["data", "close"]) redis.stream.once(end, () => clearTimeout(silence));
  });
  redis.on("ready", () => {
    if (away) options.log.info({ purpose: options.purpose }, "Redis is back");
    away = false;
  });
  return redis;
}
