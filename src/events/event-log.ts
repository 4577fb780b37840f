import type { QueuedJobEvent } from "../domain/queued-job.js";

/**
 * The log as the feed reads it; the table is behind it. All of it throws ServiceUnavailableError
 * while PostgreSQL is away.
 */
export interface EventLog {
  /** What makes a cursor one of this database's history; `heads` keeps it up to date. */
  epoch(): Promise<string>;
  /**
   * Up to `limit` events after `seq` and up to about MAX_PAGE_BYTES of them, of one QueuedJob where
   * `queuedJobId` is given, with the state of the counter in the same snapshot.
   */
  read(query: {
    userId: string;
    seq: number;
    limit: number;
    queuedJobId: string | null;
  }): Promise<LogPage>;
  /** The newest number of each of these users, and the epoch of the same moment. */
  heads(userIds: string[]): Promise<Heads>;
  /** Null when there is no such QueuedJob of this user's. */
  present(userId: string, queuedJobId: string): Promise<Present | null>;
}

export interface Heads {
  epoch: string;
  heads: Map<string, number>;
}

/** A QueuedJob as it is, told as an event. */
export interface Present {
  /**
   * Its last logged event, with its present state; where that is purged, one of the same shape at
   * the stream's position.
   */
  event: QueuedJobEvent;
  /** The number of its last logged event; 0 where that is purged. */
  lastSeq: number;
  finished: boolean;
  /** The number of the user's newest event. */
  head: number;
}

export interface LogPage {
  events: QueuedJobEvent[];
  /** No further event was there behind them. */
  whole: boolean;
  /** The number of the user's newest event. */
  last: number;
  /** The highest number that was ever purged. */
  floor: number;
}

/** Of snapshots in a page. The event that goes beyond is the last, so that there is always one. */
export const MAX_PAGE_BYTES = 256 * 1024;

/** Users whose heads one query reads. */
export const HEADS_PER_QUERY = 1000;
