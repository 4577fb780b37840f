import type { QueuedJob, QueuedJobEvent } from "../../../src/domain/queued-job.js";
import type { QueuedJobEventType } from "../../../src/domain/queued-job-status.js";

/** An event with only the fields that the feed reads. */
export function bareEvent(
  seq: number,
  {
    id = "a",
    type = "QUEUED",
    progress = 0,
  }: { id?: string; type?: QueuedJobEventType; progress?: number } = {},
): QueuedJobEvent {
  return { seq, type, at: "2026-01-01T00:00:00.000Z", queuedJob: { id, progress } as QueuedJob };
}
