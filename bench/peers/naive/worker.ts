// Each transition is one UPDATE and one PUBLISH; each thumbnail is made from the original photo.
import { Worker } from "bullmq";
import { eq, sql } from "drizzle-orm";
import sharp from "sharp";
import { connectRedis, database, QUEUE, TOPIC } from "./stores.js";
import { queuedJobs, type QueuedJob } from "./tables.js";

process.once("disconnect", () => process.exit());
const redis = connectRedis();

async function change(id: string, to: Partial<QueuedJob>): Promise<void> {
  const [row] = await database
    .update(queuedJobs)
    .set({ ...to, version: sql`${queuedJobs.version} + 1`, updatedAt: new Date() })
    .where(eq(queuedJobs.id, id))
    .returning();
  await redis.publish(TOPIC, JSON.stringify(row));
}

async function makeThumbnails({
  file,
  widths,
}: {
  file: string;
  widths: number[];
}): Promise<object> {
  await Promise.all(
    widths.map((width) =>
      sharp(file).rotate().resize({ width }).jpeg({ quality: 80 }).toFile(`${file}-${width}.jpg`),
    ),
  );
  return { widths };
}

interface Hint {
  id: string;
  parameters: unknown;
}

const worker = new Worker<Hint>(
  QUEUE,
  async ({ name, data: { id, parameters } }) => {
    await change(id, { status: "STARTED", startedAt: new Date() });
    try {
      const result =
        name === "thumbnails"
          ? await makeThumbnails(parameters as { file: string; widths: number[] })
          : parameters;
      await change(id, { status: "SUCCESS", result, progress: 100, finishedAt: new Date() });
    } catch (error) {
      await change(id, { status: "FAILED", error: String(error), finishedAt: new Date() });
      throw error;
    }
  },
  {
    connection: connectRedis(),
    concurrency: 10,
    removeOnComplete: { count: 1000 },
    removeOnFail: { count: 1000 },
  },
);
await worker.waitUntilReady();
process.send?.("ready");
