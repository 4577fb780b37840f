import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { QueuedJob, QueuedJobEvent, QueuedJobState } from "../types.js";

/** The rows that the page has seen, by id. */
export interface JobRows {
  /** A signal for each, so that an event redraws one row and not the list. */
  get(id: string): ReadonlySignal<QueuedJob> | undefined;
  all(): QueuedJob[];
  isDeleted(id: string): boolean;
  /** Stores a row that was read; one that is older than the stored row changes nothing. */
  keep(row: QueuedJob): void;
  apply(event: QueuedJobEvent): "added" | "changed" | "ignored";
  /** No later page or event brings it back. */
  remove(id: string): void;
}

/** What a page shows and an event does not carry. */
const NOT_IN_EVENTS = { queuePosition: null, estimatedStartAt: null };

export function createJobRows(): JobRows {
  const rows = new Map<string, Signal<QueuedJob>>();
  const deleted = new Set<string>();
  return {
    get: (id) => rows.get(id),
    all: () => [...rows.values()].map(({ value }) => value),
    isDeleted: (id) => deleted.has(id),
    keep(row) {
      const stored = rows.get(row.id);
      if (!stored) rows.set(row.id, signal(row));
      else if (
        row.version > stored.value.version ||
        (row.version === stored.value.version && row.progress >= stored.value.progress)
      )
        stored.value = row;
      // Events carry no photos.
      else if (stored.value.photos.length === 0 && row.photos.length > 0)
        stored.value = { ...stored.value, photos: row.photos };
    },
    apply({ type, queuedJob }) {
      const stored = rows.get(queuedJob.id);
      if (deleted.has(queuedJob.id)) return "ignored";
      if (!stored) {
        rows.set(queuedJob.id, signal({ photos: [], ...NOT_IN_EVENTS, ...queuedJob }));
        return "added";
      }
      if (!isNewer(type, queuedJob, stored.value)) return "ignored";
      stored.value = { ...stored.value, ...queuedJob, ...NOT_IN_EVENTS };
      return "changed";
    },
    remove(id) {
      deleted.add(id);
      rows.delete(id);
    },
  };
}

/** A PROGRESS event has the version of the transition before it. */
function isNewer(
  type: QueuedJobEvent["type"],
  reported: QueuedJobState,
  stored: QueuedJobState,
): boolean {
  if (type !== "PROGRESS") return reported.version > stored.version;
  return (
    reported.version === stored.version &&
    reported.status === stored.status &&
    reported.progress >= stored.progress
  );
}
