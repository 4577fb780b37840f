import { batch, signal, type ReadonlySignal } from "@preact/signals";
import type { Query } from "../../../client/src/index.js";
import { rowsQuery } from "../operations.js";
import type { PhotoEvent, QueuedJob, QueuedJobEvent } from "../types.js";
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
  row(id: string): ReadonlySignal<QueuedJob> | undefined;
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
  const rows = createJobRows();
  const pages = createListPages(ask, filter);
  const listed = createListedIds(filter, rows, pages);

  async function read(wanted = filter.value): Promise<string> {
    const { page, isCurrent } = await pages.readFirst(wanted);
    if (isCurrent) showFirst(page, rows, listed);
    return page.eventCursor;
  }

  async function readMore(): Promise<void> {
    const page = await pages.readNext();
    if (!page) return;
    batch(() => {
      page.nodes.forEach(rows.keep);
      listed.add(page.nodes.map(({ id }) => id));
    });
  }

  function apply(event: QueuedJobEvent): void {
    const { type, queuedJob } = event;
    if (type === "DELETED") return remove(queuedJob.id);
    const outcome = batch(() => {
      const change = rows.apply(event);
      if (change !== "ignored") listed.update(queuedJob);
      return change;
    });
    if (outcome === "added") void refresh([queuedJob.id]);
  }

  function remove(id: string): void {
    rows.remove(id);
    listed.remove(id);
  }

  function take(row: QueuedJob): void {
    rows.keep(row);
    listed.update((rows.get(row.id) ?? { value: row }).value);
  }

  const refresh = (ids: readonly string[]) => refreshRows(ask, rows, ids);

  return {
    ids: listed.ids,
    filter,
    totalCount: listed.totalCount,
    isReading: pages.isReading,
    row: rows.get,
    read,
    readMore,
    apply,
    applyPhoto: rows.applyPhoto,
    refresh,
    remove,
    take: (more) => batch(() => more.forEach(take)),
  };
}

function showFirst(
  page: { nodes: QueuedJob[]; totalCount: number },
  rows: JobRows,
  listed: ListedIds,
): void {
  batch(() => {
    listed.totalCount.value = page.totalCount;
    listed.clear();
    page.nodes.forEach(rows.keep);
    const newest = page.nodes[0]?.id ?? "";
    // Events may have added newer rows while the page was loading.
    const newer = rows.all().filter((row) => row.id > newest && listed.matches(row));
    listed.add([...page.nodes, ...newer].map(({ id }) => id));
  });
}

async function refreshRows(ask: Query, rows: JobRows, ids: readonly string[]): Promise<void> {
  const wanted = ids.filter((id) => !rows.isDeleted(id)).slice(0, MAX_REFRESHED);
  if (wanted.length === 0) return;
  const answer = await ask<Record<string, QueuedJob | null>>(
    rowsQuery(wanted.length),
    Object.fromEntries(wanted.map((id, i) => [`i${i}`, id])),
  ).catch(() => ({}));
  batch(() =>
    Object.values(answer).forEach((row) => row && !rows.isDeleted(row.id) && rows.keep(row)),
  );
}
