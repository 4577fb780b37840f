import { Queue } from "bullmq";
import type { Logger } from "../runtime/logger.js";
import { createRedis } from "../runtime/redis.js";
import { LANES, laneQueueName, MAINTENANCE_QUEUE } from "./hint-queue.js";

interface BoardQueues {
  close(): Promise<void>;
}

/**
 * Opens all queues for display and passes each to `onQueue` once Redis is first ready. While Redis
 * is unavailable, their commands fail within two seconds.
 */
export function createBoardQueues(options: {
  redisUrl: string;
  prefix: string;
  log: Logger;
  onQueue(queue: Queue): void;
}): BoardQueues {
  const redis = createRedis({
    url: options.redisUrl,
    prefix: options.prefix,
    purpose: "queue board",
    failFast: true,
    log: options.log,
  });
  const queues: Queue[] = [];
  // As in hint-queue.ts: a Queue built before this connection is ready stays broken.
  redis.once("ready", () => {
    for (const name of [...LANES.map(laneQueueName), MAINTENANCE_QUEUE]) {
      const queue = new Queue(name, {
        connection: redis,
        prefix: options.prefix,
        skipWaitingForReady: true,
        skipMetasUpdate: true,
      });
      queue.on("error", (error) =>
        options.log.debug({ err: error, queue: name }, "a queue on the board has an error"),
      );
      queues.push(queue);
      options.onQueue(queue);
    }
  });
  return {
    async close() {
      await Promise.all(queues.map((queue) => queue.close().catch(() => {})));
      redis.disconnect();
    },
  };
}
