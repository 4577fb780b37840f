import type { JobGroup } from "../../../src/domain/job-group.js";
import type { QueuedJob, QueuedJobEvent } from "../../../src/domain/queued-job.js";
import type { QueuedJobEventType } from "../../../src/domain/queued-job-status.js";

/** An event with only the fields that the feed reads. */
export function bareEvent(
  seq: number,
  {
    id = "a",
    type = "QUEUED",
    progress = 0,
    group,
  }: {
    id?: string;
    type?: QueuedJobEventType;
    progress?: number;
    group?: Partial<JobGroup>;
  } = {},
): QueuedJobEvent {
  const queuedJob = { id, progress, ...(group && { member: { group } }) } as QueuedJob;
  return { seq, type, at: "2026-01-01T00:00:00.000Z", queuedJob };
}
