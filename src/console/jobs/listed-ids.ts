import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { QueuedJobState } from "../types.js";
import type { JobRows } from "./job-rows.js";
import type { Filter, ListPages } from "./list-pages.js";

/** The ids that the list shows, and how many jobs pass its filter. */
export interface ListedIds {
  /** Newest first, as far as they were read. */
  readonly ids: ReadonlySignal<readonly string[]>;
  /** Exact up to 10,000. */
  readonly totalCount: Signal<number>;
  matches(row: QueuedJobState): boolean;
  add(ids: readonly string[]): void;
  clear(): void;
  /** Adds or removes a row whose state has changed, as the filter says. */
  update(row: QueuedJobState): void;
  remove(id: string): void;
}

export function createListedIds(
  filter: ReadonlySignal<Filter>,
  rows: Pick<JobRows, "isDeleted">,
  pages: Pick<ListPages, "hasMore">,
): ListedIds {
  const ids = signal<readonly string[]>([]);
  const totalCount = signal(0);

  function matches({ status, job }: QueuedJobState): boolean {
    const wanted = filter.value;
    return (
      (wanted.status.length === 0 || wanted.status.includes(status)) &&
      (wanted.job.length === 0 || wanted.job.includes(job.name))
    );
  }

  function add(more: readonly string[]): void {
    const listed = new Set(ids.value);
    const added = more.filter((id) => !listed.has(id) && !rows.isDeleted(id));
    // Ids rise with time.
    if (added.length > 0) ids.value = [...ids.value, ...added].sort((a, b) => (a < b ? 1 : -1));
  }

  function remove(id: string): void {
    if (!ids.value.includes(id)) return;
    ids.value = ids.value.filter((other) => other !== id);
    totalCount.value--;
  }

  /** A row that is older than what was read comes with its page. */
  function isWithinRead(id: string): boolean {
    const oldest = ids.value.at(-1);
    return !pages.hasMore || oldest === undefined || id > oldest;
  }

  return {
    ids,
    totalCount,
    matches,
    add,
    clear() {
      ids.value = [];
    },
    update(row) {
      const isListed = ids.value.includes(row.id);
      if (isListed && !matches(row)) remove(row.id);
      else if (!isListed && matches(row) && isWithinRead(row.id)) {
        add([row.id]);
        totalCount.value++;
      }
    },
    remove,
  };
}
