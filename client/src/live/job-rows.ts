import type { QueuedJob, QueuedJobState, SentEvent } from "../types.js";

export type JobRows = ReturnType<typeof createJobRows>;

/** The rows of a list, by id. A row is replaced only by a newer state of it. */
export function createJobRows() {
  const rows = new Map<string, QueuedJob>();
  /** Deleted rows stay away, even if an answer that is on its way contains them. */
  const deleted = new Set<string>();
  /** Rows that only an event has shown: their photos and parameters are unknown. */
  const incomplete = new Set<string>();

  return {
    get: (id: string): QueuedJob | undefined => rows.get(id),
    /** Newest first: a newer QueuedJob has a greater id. */
    sorted: (): QueuedJob[] => [...rows.values()].sort((a, b) => (a.id < b.id ? 1 : -1)),
    clear(): void {
      for (const part of [rows, deleted, incomplete]) part.clear();
    },
    /** Ids of incomplete rows, each only once. */
    takeIncomplete(max: number): string[] {
      const ids = [...incomplete].slice(0, max);
      for (const id of ids) incomplete.delete(id);
      return ids;
    },
    /** Stores a complete row. */
    keep(row: QueuedJob): void {
      const { id, parameters, photos } = row;
      const stored = rows.get(id);
      incomplete.delete(id);
      if (!deleted.has(id))
        rows.set(id, stored && !isNewer(row, stored) ? { ...stored, parameters, photos } : row);
    },
    apply({ type, queuedJob }: SentEvent): void {
      const { id } = queuedJob;
      const stored = rows.get(id);
      if (type === "DELETED") {
        deleted.add(id);
        rows.delete(id);
        incomplete.delete(id);
      } else if (stored ? isNewer(queuedJob, stored) : !deleted.has(id)) {
        if (!stored) incomplete.add(id);
        rows.set(id, merged(stored, queuedJob));
      }
    },
  };
}

type Age = Pick<QueuedJobState, "version" | "progress">;

/**
 * True if the state is not older than the stored one, which it then replaces. Progress belongs to
 * the version of the transition before it, and does not fall within it.
 */
export function isNewer(state: Age, stored: Age): boolean {
  return state.version === stored.version
    ? state.progress >= stored.progress
    : state.version > stored.version;
}

/** A row with the fields of an event. */
export function merged(row: QueuedJob | undefined, state: QueuedJobState): QueuedJob {
  return { parameters: {}, photos: [], ...row, ...state } as QueuedJob;
}
