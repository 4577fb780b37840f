import { Queue, QueueEvents } from "bullmq";
import { Redis } from "ioredis";
import type { JobClient } from "../client/job-client.js";
import type { Rig } from "../rig.js";
import { spawnPeer } from "../spawn-peer.js";

/**
 * Only the queue, without a database, an API or users. This process adds the jobs, and receives
 * their ends through QueueEvents.
 */
export async function startRawBullmq(rig: Rig): Promise<{
  processes: Record<string, number>;
  openClient(): Promise<JobClient>;
  close(): Promise<void>;
}> {
  const worker = await spawnPeer({
    name: "raw-bullmq",
    script: "./peers/raw-bullmq/worker.js",
    env: { REDIS_URL: rig.redis.url },
    logs: rig.logs,
  });
  return {
    processes: { worker: worker.pid },
    openClient: () => openRawClient(rig.redis.url),
    close: () => worker.stop(),
  };
}

async function openRawClient(redisUrl: string): Promise<JobClient> {
  const connections = [1, 2].map(() => new Redis(redisUrl, { maxRetriesPerRequest: null }));
  const [forJobs, forEvents] = connections as [Redis, Redis];
  const queue = new Queue("raw", { connection: forJobs });
  // Reads from the beginning, because the time at which the connection is ready is unknown.
  const events = new QueueEvents("raw", { connection: forEvents, lastEventId: "0" });
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  return {
    submit: async () => (await queue.add("echo", { n: 1, note: "bench" })).id ?? "",
    onStatus(listener) {
      events
        .removeAllListeners("completed")
        .on("completed", ({ jobId }) => listener(jobId, "SUCCESS"));
    },
    async close() {
      await Promise.all([events.close(), queue.close()]);
      for (const connection of connections) connection.disconnect();
    },
  };
}
