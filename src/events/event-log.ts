import type { PhotoEvent } from "../domain/photo-event.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";

/**
 * The event log as the feed reads it, backed by the table. All methods throw
 * ServiceUnavailableError while PostgreSQL is unavailable.
 */
export interface EventLog {
  /** Identifies the database's history in cursors; `heads` keeps it up to date. */
  epoch(): Promise<string>;
  /**
   * Reads up to `limit` events and about MAX_PAGE_BYTES after `seq`, optionally of one QueuedJob or
   * group. The user's counters come from the same snapshot.
   */
  read(query: {
    userId: string;
    seq: number;
    limit: number;
    queuedJobId: string | null;
    groupId?: string | null;
  }): Promise<LogPage>;
  /** Does the same for the events of photos. */
  readPhotos(query: { userId: string; seq: number; limit: number }): Promise<LogPage<PhotoEvent>>;
  /** Reads the newest number of each user, and the epoch at the same moment. */
  heads(userIds: string[]): Promise<Heads>;
  /** Returns null if this user has no such QueuedJob. */
  present(userId: string, queuedJobId: string): Promise<Present | null>;
  /**
   * Returns the last logged event of a group as it was, or else the present state of its member
   * that changed last. Null if this user has no such group.
   */
  presentOfGroup(userId: string, groupId: string): Promise<Present | null>;
}

export interface Heads {
  epoch: string;
  heads: Map<string, number>;
}

/** The current state of a QueuedJob as an event. */
export interface Present {
  /**
   * Its last logged event with its current state. If that event is purged, an equivalent event at
   * the stream's position.
   */
  event: QueuedJobEvent;
  /** Number of the last logged event; 0 if that event is purged. */
  lastSeq: number;
  finished: boolean;
  /** The number of the user's newest event. */
  head: number;
}

export interface LogPage<E = QueuedJobEvent> {
  events: E[];
  /** True if no further event of the stream followed in the log. */
  whole: boolean;
  /** The number of the user's newest event. */
  last: number;
  /** Highest purged number. */
  floor: number;
}

/**
 * Maximum bytes of snapshots in a page. The event that exceeds the limit ends the page, so that a
 * page has at least one.
 */
export const MAX_PAGE_BYTES = 256 * 1024;

/** Maximum users per query of heads. */
export const HEADS_PER_QUERY = 1000;
