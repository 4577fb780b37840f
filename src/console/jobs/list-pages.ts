import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Query, QueuedJobStatus } from "../../../client/src/index.js";
import { QUEUED_JOBS } from "../operations.js";
import type { QueuedJob } from "../types.js";

export interface Filter {
  status: QueuedJobStatus[];
  job: string[];
}

interface Page {
  nodes: QueuedJob[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  totalCount: number;
  eventCursor: string;
}

/** Reads the list page by page, newest first. */
export interface ListPages {
  readonly isReading: ReadonlySignal<boolean>;
  /** True if older jobs exist that have not been read. */
  readonly hasMore: boolean;
  /** `isCurrent` is false if another filter was chosen while the page was loading. */
  readFirst(filter: Filter): Promise<{ page: Page; isCurrent: boolean }>;
  /** Null when there is nothing to read now, or when the page belongs to an earlier filter. */
  readNext(): Promise<Page | null>;
}

const FIRST = 50;
/** The maximum page size of the service. */
const MORE = 100;

export function createListPages(ask: Query, filter: Signal<Filter>): ListPages {
  const isReading = signal(false);
  let pageInfo: Page["pageInfo"] = { hasNextPage: true, endCursor: null };
  let reads = 0;

  async function read(first: number, after: string | null): Promise<Page> {
    isReading.value = true;
    try {
      const variables = { first, after, filter: toInput(filter.value) };
      return (await ask<{ queuedJobs: Page }>(QUEUED_JOBS, variables)).queuedJobs;
    } finally {
      isReading.value = false;
    }
  }

  return {
    isReading,
    get hasMore() {
      return pageInfo.hasNextPage;
    },
    async readFirst(wanted) {
      const number = ++reads;
      filter.value = wanted;
      const page = await read(FIRST, null);
      const isCurrent = number === reads;
      if (isCurrent) pageInfo = page.pageInfo;
      return { page, isCurrent };
    },
    async readNext() {
      if (!pageInfo.hasNextPage || isReading.value) return null;
      const number = reads;
      const page = await read(MORE, pageInfo.endCursor);
      if (number !== reads) return null;
      pageInfo = page.pageInfo;
      return page;
    },
  };
}

/** The filter as the API's input type. */
export function toInput({ status, job }: Filter): object {
  return { ...(status.length > 0 && { status }), ...(job.length > 0 && { job }) };
}
