import { effect, signal, type ReadonlySignal } from "@preact/signals";
import type { Query, QueuedJobStatus } from "../../../client/src/index.js";
import { JOB_COUNTS } from "../operations.js";
import type { JobList } from "./job-list.js";

export interface JobCounts {
  /** Number of jobs in each state, of the Jobs in the filter; exact up to 10,000. */
  readonly byStatus: ReadonlySignal<Record<QueuedJobStatus, number>>;
  refresh(): void;
  close(): void;
}

const INTERVAL_MS = 1000;
const NONE = { PENDING: 0, STARTED: 0, SUCCESS: 0, FAILED: 0, CANCELLED: 0 };

/** Counted again after events, but not at every event. */
export function createJobCounts(ask: Query, list: JobList): JobCounts {
  const byStatus = signal<Record<QueuedJobStatus, number>>(NONE);
  let timer: ReturnType<typeof setTimeout> | null = null;

  async function read(): Promise<void> {
    timer = null;
    const { job } = list.filter.peek();
    const answer = await ask<Record<QueuedJobStatus, { totalCount: number }>>(JOB_COUNTS, {
      job: job.length > 0 ? job : null,
    }).catch(() => null);
    if (!answer) return;
    byStatus.value = Object.fromEntries(
      Object.entries(answer).map(([status, { totalCount }]) => [status, totalCount]),
    ) as Record<QueuedJobStatus, number>;
  }

  const close = effect(() => {
    void list.filter.value;
    void read();
  });
  return {
    byStatus,
    close,
    refresh: () => {
      timer ??= setTimeout(() => void read(), INTERVAL_MS);
    },
  };
}
