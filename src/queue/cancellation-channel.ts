// Notifies the workers that an attempt must stop. A notification may be lost; then the next renewal
// of the lease reports the same.
import type { Logger } from "../runtime/logger.js";
import { createRedis } from "../runtime/redis.js";

export interface CancellationChannel {
  /** Never throws; callers need not wait. */
  publish(queuedJobId: string): void;
  close(): void;
}

export interface CancellationListener {
  close(): void;
}

const topicOf = (prefix: string) => `${prefix}:stop`;

export function createCancellationChannel(options: {
  redisUrl: string;
  prefix: string;
  log: Logger;
}): CancellationChannel {
  const redis = createRedis({
    url: options.redisUrl,
    prefix: options.prefix,
    purpose: "stop notification out",
    failFast: true,
    log: options.log,
  });
  return {
    publish(queuedJobId) {
      redis
        .publish(topicOf(options.prefix), queuedJobId)
        .catch((error) =>
          options.log.debug({ err: error, queuedJobId }, "a stop notification was not published"),
        );
    },
    close: () => redis.disconnect(),
  };
}

/** Calls `onStop` with the id of each QueuedJob whose attempt must stop. */
export function listenForStops(options: {
  redisUrl: string;
  prefix: string;
  log: Logger;
  onStop(queuedJobId: string): void;
}): CancellationListener {
  const redis = createRedis({
    url: options.redisUrl,
    prefix: options.prefix,
    purpose: "stop notification in",
    failFast: false,
    log: options.log,
  });
  redis.on("message", (_channel, queuedJobId) => options.onStop(queuedJobId));
  redis
    .subscribe(topicOf(options.prefix))
    .catch((error) =>
      options.log.debug({ err: error }, "could not subscribe to stop notifications"),
    );
  return { close: () => redis.disconnect() };
}
