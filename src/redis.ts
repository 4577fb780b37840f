import { Redis } from "ioredis";
import type { Logger } from "./logger.js";

/**
 * A connection to Redis that reconnects for ever. `failFast`: commands fail at once while it is away, for what a request
 * waits for; otherwise they wait, as BullMQ's workers and subscribers must.
 */
export function createRedis(options: { url: string; purpose: string; failFast: boolean; log: Logger }): Redis {
  const redis = new Redis(options.url, {
    connectionName: options.purpose,
    retryStrategy: (attempt) => Math.min(attempt * 100, 1000),
    connectTimeout: 2000,
    enableOfflineQueue: !options.failFast,
    maxRetriesPerRequest: options.failFast ? 1 : null,
    // Of one that is there but does not answer, too, nobody waits for long.
    ...(options.failFast && { commandTimeout: 2000 }),
  });
  let away = false;
  redis.on("error", (error) => {
    if (!away) options.log.error({ err: error, purpose: options.purpose }, "Redis is away; trying again until it is back");
    away = true;
  });
  redis.on("ready", () => {
    if (away) options.log.info({ purpose: options.purpose }, "Redis is back");
    away = false;
  });
  return redis;
}
