import type { Worker } from "bullmq";
import { withPatience } from "../patience.js";

const PATIENCE_MS = 2000;

/**
 * Closes a worker of BullMQ when what it runs has ended. By itself it waits for ever for a Redis that is away; what it
 * still has to tell it then is about hints, and can be lost.
 */
export async function closeBullWorker(worker: Worker, redis: { readonly status: string }): Promise<void> {
  const closed = worker.close().then(() => true);
  while ((await withPatience(closed, PATIENCE_MS, () => null)) === null) {
    if (redis.status === "ready") continue;
    worker.disconnect().catch(() => {});
    return;
  }
}
