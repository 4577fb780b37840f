import { FlowProducer, Queue, QueueEvents, type FlowJob } from "bullmq";
import { Redis } from "ioredis";
import { untilReceived, type GroupClient } from "../client/group-client.js";
import type { JobClient } from "../client/job-client.js";
import type { Rig } from "../rig.js";
import { spawnPeer } from "../spawn-peer.js";
import type { ShapeName } from "../workloads/group-shapes.js";

/**
 * Only the queue, without a database, an API or users. This process adds the jobs, and receives
 * their ends through QueueEvents.
 */
export async function startRawBullmq(rig: Rig): Promise<{
  processes: Record<string, number>;
  openClient(): Promise<JobClient>;
  openFlowClient(): Promise<GroupClient>;
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
    openFlowClient: () => openFlowClient(rig.redis.url),
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

async function openFlowClient(redisUrl: string): Promise<GroupClient> {
  const connections = [1, 2].map(() => new Redis(redisUrl, { maxRetriesPerRequest: null }));
  const [forFlows, forEvents] = connections as [Redis, Redis];
  const flows = new FlowProducer({ connection: forFlows });
  const events = new QueueEvents("raw", { connection: forEvents, lastEventId: "$" });
  await Promise.all([flows.waitUntilReady(), events.waitUntilReady()]);
  const client: GroupClient = {
    async submit(shape, size) {
      await flows.add(flowOf(shape, size));
    },
    onSuccess(listener) {
      events.removeAllListeners("completed").on("completed", ({ jobId }) => listener(jobId));
    },
    async close() {
      await Promise.all([events.close(), flows.close()]);
      for (const connection of connections) connection.disconnect();
    },
  };
  await untilReceived(client);
  return client;
}

/** A flow is a tree whose leaves run first, so the jobs of a fan-out are added by the first one. */
function flowOf(shape: ShapeName, size: number): FlowJob {
  const job = { name: "echo", queueName: "raw", data: { n: 1, note: "bench" } };
  if (shape === "fan-out") return { ...job, data: { ...job.data, next: size - 1 } };
  if (shape === "fan-in") return { ...job, children: Array.from({ length: size - 1 }, () => job) };
  let flow: FlowJob = job;
  for (let i = 1; i < size; i++) flow = { ...job, children: [flow] };
  return flow;
}
