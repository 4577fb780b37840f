import type { Worker } from "bullmq";
import { withPatience } from "../runtime/patience.js";

const PATIENCE_MS = 2000;

/**
 * Closes a worker of BullMQ when what it runs has ended. By itself it waits for ever for a Redis
 * that is away, and for a blocking call whose connection was lost; what it still has to tell then
 * is about hints, and can be lost.
 */
export async function closeBullWorker(
  worker: Worker,
  redis: { readonly status: string },
  isBusy: () => boolean,
): Promise<void> {
  const closed = worker.close().then(() => true);
  while ((await withPatience(closed, PATIENCE_MS, () => null)) === null) {
    if (redis.status === "ready" && isBusy()) continue;
    worker.disconnect().catch(() => {});
    return;
  }
}
