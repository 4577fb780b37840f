import { CursorExpiredError, type PhotoServiceError } from "../errors.js";
import { EVENTS } from "../operations.js";
import type { Parts } from "../parts.js";
import type { QueuedJob, QueuedJobEvent, SentEvent } from "../types.js";
import { createJobPages, type JobFilter } from "./job-pages.js";
import { merged } from "./job-rows.js";
import { createLive, type Live } from "./live.js";

export interface JobListOptions extends JobFilter {
  /** Called with every event of the user, once and in order, while the list has subscribers. */
  onEvent?: ((event: QueuedJobEvent) => void) | undefined;
}

export interface JobListSnapshot {
  /** Newest first; the pages read so far. */
  jobs: readonly QueuedJob[];
  isLoading: boolean;
  /** False while the connection is lost; the list is then as of its loss. */
  isLive: boolean;
  hasMore: boolean;
  /** Why the list is not live, or the last page could not be read. */
  error: PhotoServiceError | null;
}

export interface JobList extends Live<JobListSnapshot> {
  /** Reads the next page of older QueuedJobs; a failure is the snapshot's `error`. */
  loadMore(): Promise<void>;
}

/** A page and the stream behind it. It goes on from its cursor when a new subscriber comes. */
export function createJobList(parts: Parts, options: JobListOptions = {}): JobList {
  const pages = createJobPages(parts, options);
  /** Position in the stream; null before the first page, and when it has expired. */
  let cursor: string | null = null;
  const { update, getSnapshot, subscribe } = createLive<JobListSnapshot>(
    { jobs: [], isLoading: true, isLive: false, hasMore: false, error: null },
    {
      listen: () => parts.rows.listen(keep),
      async run(signal) {
        cursor ??= await read(true, signal);
        await parts.events.follow(EVENTS, {
          after: cursor,
          signal,
          onEvent: receive,
          onState: (error) => update({ isLive: !error, error }),
        });
      },
      onError(error) {
        if (error instanceof CursorExpiredError) cursor = null;
        else update({ isLoading: false, isLive: false, error: error as PhotoServiceError });
        return error instanceof CursorExpiredError || parts.events.isWorthWaiting(error);
      },
    },
  );
  const show = (changes?: Partial<JobListSnapshot>): void =>
    update({ jobs: pages.shown(), hasMore: pages.hasMore(), ...changes });

  async function read(isFirst: boolean, signal?: AbortSignal): Promise<string> {
    update({ isLoading: true });
    const position = await pages.read(isFirst, signal);
    show({ isLoading: false, error: null });
    return position;
  }

  function receive(event: SentEvent): void {
    const queuedJob = parts.urls.ofQueuedJob(event.queuedJob);
    const row = pages.rows.get(queuedJob.id);
    cursor = event.cursor;
    pages.apply({ ...event, queuedJob }, show);
    show();
    options.onEvent?.({ ...event, queuedJob: merged(row, queuedJob) });
  }

  function keep(row: QueuedJob): void {
    pages.keep(row);
    show();
  }

  return {
    getSnapshot,
    subscribe,
    async loadMore() {
      if (!getSnapshot().isLoading && pages.hasMore())
        await read(false).catch((error: PhotoServiceError) => update({ isLoading: false, error }));
    },
  };
}
