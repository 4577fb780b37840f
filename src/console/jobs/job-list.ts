import { batch, signal, type ReadonlySignal } from "@preact/signals";
import type { Query, QueuedJobStatus } from "../../../client/src/index.js";
import { rowsQuery } from "../operations.js";
import type { PhotoEvent, QueuedJob, QueuedJobEvent } from "../types.js";
import { createJobGroups, type JobGroups, statusOf } from "./job-groups.js";
import { createJobRows, type JobRows, createListedIds, type ListedIds } from "./listed-ids.js";
import { createListPages, type Filter } from "./list-pages.js";

/**
 * Not the list of the client: its rows carry places in the queue, and each row is a signal, so that
 * an event among 10,000 rows draws one.
 */
export interface JobList {
  /** Newest first; only the pages read so far. */
  readonly ids: ReadonlySignal<readonly string[]>;
  readonly filter: ReadonlySignal<Filter>;
  /** Number of jobs that pass the filter; exact up to 10,000. */
  readonly totalCount: ReadonlySignal<number>;
  readonly isReading: ReadonlySignal<boolean>;
  readonly groups: JobGroups;
  row(id: string): ReadonlySignal<QueuedJob> | undefined;
  /** The state of a job or of a group. */
  statusOf(id: string): QueuedJobStatus;
  /** Reads the first page again; returns the event cursor of that moment. */
  read(filter?: Filter): Promise<string>;
  readMore(): Promise<void>;
  apply(event: QueuedJobEvent): void;
  /** Shows a photo's new preview in the rows that it is an input of. */
  applyPhoto(event: PhotoEvent): void;
  /** Stores rows from a response; rows older than the stored ones are ignored. */
  take(rows: readonly QueuedJob[]): void;
  /** Reads rows again for fields that events do not carry, such as the queue position. */
  refresh(ids: readonly string[]): Promise<void>;
  remove(id: string): void;
}

const MAX_REFRESHED = 20;

export function createJobList(ask: Query, first: Filter): JobList {
  const filter = signal(first);
  const stored = createStored();
  const { rows, groups, keep } = stored;
  const pages = createListPages(ask, filter);
  const listed = createListedIds(filter, rows, pages);

  async function read(wanted = filter.value): Promise<string> {
    const { page, isCurrent } = await pages.readFirst(wanted);
    if (isCurrent) showFirst(page, stored, listed);
    return page.eventCursor;
  }

  async function readMore(): Promise<void> {
    const page = await pages.readNext();
    if (!page) return;
    batch(() => {
      page.nodes.forEach(keep);
      listed.add(page.nodes.map(({ id }) => id));
    });
  }

  const refresh = (ids: readonly string[]) => refreshRows(ask, stored, ids);

  return {
    ids: listed.ids,
    filter,
    totalCount: listed.totalCount,
    isReading: pages.isReading,
    groups,
    row: rows.get,
    statusOf(id) {
      const group = groups.get(id)?.value;
      return group ? statusOf(group) : (rows.get(id)?.value.status ?? "PENDING");
    },
    read,
    readMore,
    applyPhoto: rows.applyPhoto,
    refresh,
    ...createChanges(stored, listed, refresh),
  };
}

interface Stored {
  rows: JobRows;
  groups: JobGroups;
  /** Stores a row that was read, and its group. */
  keep(row: QueuedJob): void;
}

function createStored(): Stored {
  const [rows, groups] = [createJobRows(), createJobGroups()];
  return {
    rows,
    groups,
    keep(row) {
      rows.keep(row);
      groups.keepOf(row);
    },
  };
}

/** The changes that reach the list from events and from other operations. */
function createChanges(
  { rows, groups, keep }: Stored,
  listed: ListedIds,
  refresh: JobList["refresh"],
): Pick<JobList, "apply" | "take" | "remove"> {
  function remove(id: string): void {
    rows.remove(id);
    listed.remove(id);
  }

  return {
    remove,
    apply(event) {
      const { type, queuedJob } = event;
      if (type === "DELETED") return remove(queuedJob.id);
      // The first job of a group shows what the group runs on.
      const isShown = !queuedJob.group || !groups.get(queuedJob.group.id);
      const outcome = batch(() => {
        groups.apply(event);
        const change = rows.apply(event);
        if (change !== "ignored") listed.update(queuedJob);
        return change;
      });
      if (outcome === "added" && isShown) void refresh([queuedJob.id]);
    },
    take(more) {
      batch(() =>
        more.forEach((row) => {
          keep(row);
          listed.update((rows.get(row.id) ?? { value: row }).value);
        }),
      );
    },
  };
}

function showFirst(
  page: { nodes: QueuedJob[]; totalCount: number },
  { rows, keep }: Stored,
  listed: ListedIds,
): void {
  batch(() => {
    listed.totalCount.value = page.totalCount;
    listed.clear();
    page.nodes.forEach(keep);
    const newest = page.nodes[0]?.id ?? "";
    // Events may have added newer rows while the page was loading.
    const newer = rows.all().filter((row) => row.id > newest && listed.matches(row));
    listed.add([...page.nodes, ...newer].map(({ id }) => id));
  });
}

async function refreshRows(
  ask: Query,
  { rows, keep }: Stored,
  ids: readonly string[],
): Promise<void> {
  const wanted = ids.filter((id) => !rows.isDeleted(id)).slice(0, MAX_REFRESHED);
  if (wanted.length === 0) return;
  const answer = await ask<Record<string, QueuedJob | null>>(
    rowsQuery(wanted.length),
    Object.fromEntries(wanted.map((id, i) => [`i${i}`, id])),
  ).catch(() => ({}));
  batch(() => Object.values(answer).forEach((row) => row && !rows.isDeleted(row.id) && keep(row)));
}
