// Tells the workers that an attempt is not wanted any more. Like every bell it may be lost: then
// the next renewal of the lease tells the same.
import type { Logger } from "../runtime/logger.js";
import { createRedis } from "../runtime/redis.js";

export interface StopBell {
  /** Never throws, and nobody need wait for it. */
  ring(queuedJobId: string): void;
  close(): void;
}

export interface StopBellListener {
  close(): void;
}

const topicOf = (prefix: string) => `${prefix}:stop`;

export function createStopBell(options: {
  redisUrl: string;
  prefix: string;
  log: Logger;
}): StopBell {
  const redis = createRedis({
    url: options.redisUrl,
    purpose: "stop bell out",
    failFast: true,
    log: options.log,
  });
  return {
    ring(queuedJobId) {
      redis
        .publish(topicOf(options.prefix), queuedJobId)
        .catch((error) =>
          options.log.debug({ err: error, queuedJobId }, "a stop bell was not rung"),
        );
    },
    close: () => redis.disconnect(),
  };
}

/** Calls `onStop` with the id of each QueuedJob whose attempt is to stop. */
export function listenForStops(options: {
  redisUrl: string;
  prefix: string;
  log: Logger;
  onStop(queuedJobId: string): void;
}): StopBellListener {
  const redis = createRedis({
    url: options.redisUrl,
    purpose: "stop bell in",
    failFast: false,
    log: options.log,
  });
  redis.on("message", (_channel, queuedJobId) => options.onStop(queuedJobId));
  redis
    .subscribe(topicOf(options.prefix))
    .catch((error) => options.log.debug({ err: error }, "stop bells are not heard"));
  return { close: () => redis.disconnect() };
}
