import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";

process.once("disconnect", () => process.exit());
const connect = () => new Redis(process.env["REDIS_URL"] ?? "", { maxRetriesPerRequest: null });
const queue = new Queue("raw", { connection: connect() });
const worker = new Worker<{ next?: number }>(
  "raw",
  async ({ data: { next = 0, ...data } }) => {
    const job = { name: "echo", data };
    if (next > 0) await queue.addBulk(Array.from({ length: next }, () => job));
    return data as unknown;
  },
  {
    connection: connect(),
    concurrency: 50,
    removeOnComplete: { count: 1000 },
    removeOnFail: { count: 1000 },
  },
);
await worker.waitUntilReady();
process.send?.("ready");
