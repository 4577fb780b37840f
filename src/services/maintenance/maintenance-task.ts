/**
 * Where to begin, and what ends the work early: shutdown, or another worker that has taken it over.
 */
export interface Slice {
  /** What the last slice returned; null at the start of a pass. */
  from: string | null;
  signal: AbortSignal;
}

/**
 * Does a bounded part of recurring work; returns where the next slice begins, null at the end of a
 * pass.
 */
export type MaintenanceTask = (slice: Slice) => Promise<string | null>;
