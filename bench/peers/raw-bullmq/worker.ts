import { Worker } from "bullmq";
import { Redis } from "ioredis";

process.once("disconnect", () => process.exit());
const connection = new Redis(process.env["REDIS_URL"] ?? "", { maxRetriesPerRequest: null });
const worker = new Worker("raw", async ({ data }) => data as unknown, {
  connection,
  concurrency: 50,
  removeOnComplete: { count: 1000 },
  removeOnFail: { count: 1000 },
});
await worker.waitUntilReady();
process.send?.("ready");
