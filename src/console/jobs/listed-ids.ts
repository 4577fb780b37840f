import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { isNewer } from "../../../client/src/index.js";
import type {
  InputPhoto,
  PhotoEvent,
  QueuedJob,
  QueuedJobEvent,
  QueuedJobState,
} from "../types.js";
import type { Filter, ListPages } from "./list-pages.js";

/** The ids in the list, and the number of jobs that pass its filter. */
export interface ListedIds {
  /** Newest first; only the pages read so far. */
  readonly ids: ReadonlySignal<readonly string[]>;
  /** Exact up to 10,000. */
  readonly totalCount: Signal<number>;
  matches(row: QueuedJobState): boolean;
  add(ids: readonly string[]): void;
  clear(): void;
  /** Adds or removes a row whose state has changed, depending on the filter. */
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
    // A newer job has a greater id.
    if (added.length > 0) ids.value = [...ids.value, ...added].sort((a, b) => (a < b ? 1 : -1));
  }

  function remove(id: string): void {
    if (!ids.value.includes(id)) return;
    ids.value = ids.value.filter((other) => other !== id);
    totalCount.value--;
  }

  /** Rows older than the last page read arrive with a later page. */
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

/** The rows received so far, by id. */
export interface JobRows {
  /** Each row is a signal, so that an event redraws one row and not the list. */
  get(id: string): ReadonlySignal<QueuedJob> | undefined;
  all(): QueuedJob[];
  isDeleted(id: string): boolean;
  /** Stores a row, unless the stored row is newer. */
  keep(row: QueuedJob): void;
  apply(event: QueuedJobEvent): "added" | "changed" | "ignored";
  /** Shows a photo's preview, or its deletion, in the rows that have it. */
  applyPhoto(event: PhotoEvent): void;
  /** Removes a row; later pages and events do not bring it back. */
  remove(id: string): void;
}

/** Fields of a row that events do not carry. */
const NOT_IN_EVENTS = { queuePosition: null, estimatedStartAt: null };

export function createJobRows(): JobRows {
  const rows = new Map<string, Signal<QueuedJob>>();
  const deleted = new Set<string>();

  function changePhotos(
    id: string,
    change: (photos: readonly InputPhoto[]) => readonly InputPhoto[],
  ): void {
    for (const row of rows.values())
      if (row.value.photos.some((photo) => photo.id === id))
        row.value = { ...row.value, photos: change(row.value.photos) };
  }
  return {
    get: (id) => rows.get(id),
    all: () => [...rows.values()].map(({ value }) => value),
    isDeleted: (id) => deleted.has(id),
    keep(row) {
      const stored = rows.get(row.id);
      if (!stored) rows.set(row.id, signal(row));
      else if (isNewer(row, stored.value)) stored.value = row;
      // Events carry no photos.
      else if (stored.value.isPartial)
        stored.value = { ...stored.value, photos: row.photos, isPartial: false };
    },
    apply({ queuedJob }) {
      const stored = rows.get(queuedJob.id);
      if (deleted.has(queuedJob.id)) return "ignored";
      if (!stored) {
        rows.set(
          queuedJob.id,
          signal({ photos: [], isPartial: true, ...NOT_IN_EVENTS, ...queuedJob }),
        );
        return "added";
      }
      if (!isNewer(queuedJob, stored.value)) return "ignored";
      const isTransition = queuedJob.version > stored.value.version;
      stored.value = { ...stored.value, ...queuedJob, ...(isTransition && NOT_IN_EVENTS) };
      return "changed";
    },
    applyPhoto({ type, photo }) {
      const { id } = photo;
      if (type === "PREVIEWED")
        changePhotos(id, (all) => all.map((one) => (one.id === id ? photo : one)));
      if (type === "DELETED") changePhotos(id, (all) => all.filter((one) => one.id !== id));
    },
    remove(id) {
      deleted.add(id);
      rows.delete(id);
    },
  };
}
