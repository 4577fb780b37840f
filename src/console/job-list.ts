import { batch, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Ask } from "./graphql-client.js";
import { QUEUED_JOBS, rowsQuery } from "./operations.js";
import type { QueuedJob, QueuedJobEvent, QueuedJobState, Status } from "./types.js";

export interface Filter {
  status: Status[];
  job: string[];
}

interface Page {
  nodes: QueuedJob[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  totalCount: number;
  eventCursor: string;
}

export interface JobList {
  /** Newest first, as far as they were read. */
  readonly ids: ReadonlySignal<readonly string[]>;
  readonly filter: ReadonlySignal<Filter>;
  /** Of the filter; exact up to 10,000. */
  readonly totalCount: ReadonlySignal<number>;
  readonly isReading: ReadonlySignal<boolean>;
  /** A signal for each, so that an event draws one row anew and not the list. */
  row(id: string): ReadonlySignal<QueuedJob> | undefined;
  /** Reads the first page anew; answers where the event stream stood then. */
  read(filter?: Filter): Promise<string>;
  readMore(): Promise<void>;
  apply(event: QueuedJobEvent): void;
  /** Takes over rows that were read or answered; older ones than are known change nothing. */
  take(rows: readonly QueuedJob[]): void;
  /** Reads these anew: what events do not tell, such as the place in the line. */
  refresh(ids: readonly string[]): Promise<void>;
  remove(id: string): void;
}

const FIRST = 50;
/** The most that the service gives at once. */
const MORE = 100;
const ASKED_AT_ONCE = 20;

export function createJobList(ask: Ask): JobList {
  const rows = new Map<string, Signal<QueuedJob>>();
  const gone = new Set<string>();
  const ids = signal<readonly string[]>([]);
  const filter = signal<Filter>({ status: [], job: [] });
  const totalCount = signal(0);
  const isReading = signal(false);
  let page: Page["pageInfo"] = { hasNextPage: true, endCursor: null };
  let reading = 0;

  async function readPage(first: number, after: string | null): Promise<Page> {
    isReading.value = true;
    try {
      return (
        await ask<{ queuedJobs: Page }>(QUEUED_JOBS, {
          first,
          after,
          filter: toInput(filter.value),
        })
      ).queuedJobs;
    } finally {
      isReading.value = false;
    }
  }

  async function read(wanted = filter.value): Promise<string> {
    const turn = ++reading;
    filter.value = wanted;
    const first = await readPage(FIRST, null);
    // Another filter was chosen meanwhile.
    if (turn !== reading) return first.eventCursor;
    batch(() => {
      page = first.pageInfo;
      totalCount.value = first.totalCount;
      ids.value = [];
      first.nodes.forEach(keep);
      const newest = first.nodes[0]?.id ?? "";
      // What events brought while the page was on its way.
      const newer = [...rows.values()]
        .map(({ value }) => value)
        .filter((row) => row.id > newest && matches(row));
      place([...first.nodes, ...newer].map(({ id }) => id));
    });
    return first.eventCursor;
  }

  async function readMore(): Promise<void> {
    if (!page.hasNextPage || isReading.value) return;
    const turn = reading;
    const next = await readPage(MORE, page.endCursor);
    if (turn !== reading) return;
    page = next.pageInfo;
    batch(() => {
      next.nodes.forEach(keep);
      place(next.nodes.map(({ id }) => id));
    });
  }

  function matches({ status, job }: QueuedJobState): boolean {
    const wanted = filter.value;
    return (
      (wanted.status.length === 0 || wanted.status.includes(status)) &&
      (wanted.job.length === 0 || wanted.job.includes(job.name))
    );
  }

  /** Ids rise with time. What is older than what was read comes with its page. */
  function place(more: readonly string[]): void {
    const known = new Set(ids.value);
    const added = more.filter((id) => !known.has(id) && !gone.has(id));
    if (added.length > 0) ids.value = [...ids.value, ...added].sort((a, b) => (a < b ? 1 : -1));
  }

  function keep(row: QueuedJob): void {
    const known = rows.get(row.id);
    if (!known) rows.set(row.id, signal(row));
    else if (
      row.version > known.value.version ||
      (row.version === known.value.version && row.progress >= known.value.progress)
    )
      known.value = row;
    // Of which events tell nothing.
    else if (known.value.photos.length === 0 && row.photos.length > 0)
      known.value = { ...known.value, photos: row.photos };
  }

  function settle(row: QueuedJobState): void {
    const isShown = ids.value.includes(row.id);
    const oldest = ids.value.at(-1);
    if (isShown && !matches(row)) drop(row.id);
    else if (
      !isShown &&
      matches(row) &&
      (!page.hasNextPage || oldest === undefined || row.id > oldest)
    ) {
      place([row.id]);
      totalCount.value++;
    }
  }

  function drop(id: string): void {
    if (!ids.value.includes(id)) return;
    ids.value = ids.value.filter((other) => other !== id);
    totalCount.value--;
  }

  function apply({ type, queuedJob }: QueuedJobEvent): void {
    if (type === "DELETED") return remove(queuedJob.id);
    const known = rows.get(queuedJob.id);
    if (gone.has(queuedJob.id) || (known && !isNewer(type, queuedJob, known.value))) return;
    const unknown = { photos: [], queuePosition: null, estimatedStartAt: null };
    batch(() => {
      if (known)
        known.value = { ...known.value, ...queuedJob, queuePosition: null, estimatedStartAt: null };
      else rows.set(queuedJob.id, signal({ ...unknown, ...queuedJob }));
      settle(queuedJob);
    });
    if (!known) void refresh([queuedJob.id]);
  }

  function remove(id: string): void {
    gone.add(id);
    rows.delete(id);
    drop(id);
  }

  async function refresh(wanted: readonly string[]): Promise<void> {
    const some = wanted.filter((id) => !gone.has(id)).slice(0, ASKED_AT_ONCE);
    if (some.length === 0) return;
    const found = await ask<Record<string, QueuedJob | null>>(
      rowsQuery(some.length),
      Object.fromEntries(some.map((id, i) => [`i${i}`, id])),
    ).catch(() => ({}));
    batch(() => Object.values(found).forEach((row) => row && !gone.has(row.id) && keep(row)));
  }

  function take(more: readonly QueuedJob[]): void {
    batch(() =>
      more.forEach((row) => {
        keep(row);
        settle((rows.get(row.id) ?? { value: row }).value);
      }),
    );
  }

  return {
    ids,
    filter,
    totalCount,
    isReading,
    row: (id) => rows.get(id),
    read,
    readMore,
    apply,
    take,
    refresh,
    remove,
  };
}

/** PROGRESS is no step: it has the version of the step before it. */
function isNewer(
  type: QueuedJobEvent["type"],
  told: QueuedJobState,
  known: QueuedJobState,
): boolean {
  if (type !== "PROGRESS") return told.version > known.version;
  return (
    told.version === known.version &&
    told.status === known.status &&
    told.progress >= known.progress
  );
}

/** As the API takes it. */
export function toInput({ status, job }: Filter): object {
  return { ...(status.length > 0 && { status }), ...(job.length > 0 && { job }) };
}
