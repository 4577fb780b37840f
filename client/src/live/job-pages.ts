import type { JobName } from "../generated/jobs.js";
import { JOBS, rowsQuery } from "../operations.js";
import type { Parts } from "../parts.js";
import { pause } from "../transport/repeat.js";
import { ONCE } from "../transport/requests.js";
import type { Page, QueuedJob, QueuedJobStatus, SentEvent } from "../types.js";
import { createJobRows, type JobRows } from "./job-rows.js";

export interface JobFilter {
  /** Only QueuedJobs in one of these states. */
  status?: readonly QueuedJobStatus[] | undefined;
  /** Only QueuedJobs of these Jobs. */
  job?: readonly JobName[] | undefined;
  /** Number of rows of a page, 1 to 100. Default: 20. */
  first?: number | undefined;
}

/** Rows that events have shown within this time are completed together, so many at once. */
const COMPLETE_MS = 50;
const MAX_COMPLETED = 20;

/** The rows of the pages read so far, and of the events since. */
export function createJobPages(parts: Parts, { status, job, first = 20 }: JobFilter) {
  const { query, urls } = parts;
  const rows = createJobRows();
  const complete = createCompletion(parts, rows);
  let pageInfo: Page<unknown>["pageInfo"] = { hasNextPage: false, endCursor: null };
  /** Id of the oldest row of the pages. */
  let oldest = "";
  /** Older rows come with a later page. */
  const isInRange = ({ id }: { id: string }): boolean => !pageInfo.hasNextPage || id >= oldest;

  return {
    rows,
    hasMore: (): boolean => pageInfo.hasNextPage,
    shown: (): QueuedJob[] =>
      rows
        .sorted()
        .filter(
          (row) => (status?.includes(row.status) ?? true) && (job?.includes(row.job.name) ?? true),
        ),
    keep(row: QueuedJob): void {
      if (isInRange(row)) rows.keep(row);
    },
    /** Calls back when rows that the event has shown are complete. */
    apply(event: SentEvent, onComplete: () => void): void {
      if (!isInRange(event.queuedJob)) return;
      rows.apply(event);
      void complete(onComplete);
    },
    /** Reads the first or the next page. Returns the position of the stream at the first page. */
    async read(isFirst: boolean, signal?: AbortSignal): Promise<string> {
      const after = isFirst ? null : pageInfo.endCursor;
      const { page } = await query<{ page: Page<QueuedJob> & { eventCursor: string } }>(
        JOBS,
        { first, after, filter: { status, job } },
        { signal, ...(isFirst && ONCE) },
      );
      if (isFirst) rows.clear();
      // The list may have been read again from its beginning.
      if (isFirst || after === pageInfo.endCursor) {
        pageInfo = page.pageInfo;
        oldest = page.nodes.at(-1)?.id ?? oldest;
        for (const row of page.nodes) rows.keep(urls.ofQueuedJob(row));
      }
      return page.eventCursor;
    },
  };
}

/** Reads photos and parameters of rows that only events have shown. */
function createCompletion({ query, urls }: Parts, rows: JobRows) {
  let isRunning = false;
  return async (onComplete: () => void): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    for (;;) {
      await pause(COMPLETE_MS);
      const ids = rows.takeIncomplete(MAX_COMPLETED);
      if (ids.length === 0) break;
      const variables = Object.fromEntries(ids.map((id, i) => [`i${i}`, id]));
      const answer = await query<Record<string, QueuedJob | null>>(
        rowsQuery(ids.length),
        variables,
      ).catch(() => ({}));
      for (const row of Object.values(answer)) if (row) rows.keep(urls.ofQueuedJob(row));
      onComplete();
    }
    isRunning = false;
  };
}
