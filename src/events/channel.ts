import type { UserEvent } from "../domain/photo-event.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";
import type { LogPage } from "./event-log.js";
import { ProgressUpdates } from "./progress-updates.js";
import { Ring } from "./ring.js";

const PAGE_SIZE = 100;
/**
 * Wait for an event whose notification was overtaken by a later one; it usually follows
 * immediately.
 */
const HOLE_TIMEOUT_MS = 50;
/**
 * Listeners called per turn of the event loop: a fan-out to all listeners of a large feed would
 * block others.
 */
const WAKE_BATCH_SIZE = 500;

/** Events after a position in the log, as far as one query reads. */
interface Page<E> extends LogPage<E> {
  /** Position after the page: the stream has no other events up to here. */
  to: number;
}

export type ReadLog<E> = (query: {
  seq: number;
  queuedJobId: string | null;
  groupId?: string | null;
  limit: number;
}) => Promise<LogPage<E>>;

/** A notification as one of a user's two streams takes it. */
export interface Arrival<E> {
  /** Number of the newest event in the log as far as the publisher knows; null for PROGRESS. */
  head: number | null;
  events: readonly E[];
  /** Numbers of events of the other stream. */
  others?: readonly number[];
}

/** The events of one stream of a user in a process, while the user has a listener here. */
export class Channel<E extends UserEvent = QueuedJobEvent> {
  readonly #read: ReadLog<E>;
  readonly #ring = new Ring<E>();
  readonly #progress = new ProgressUpdates();
  /** Position after which all events of the log were seen here. */
  #seenFrom = 0;
  /** QueuedJobs whose attempt began before that position and had not ended there. */
  readonly #running = new Set<string>();
  /** The newest PROGRESS of each QueuedJob whose later events are being read from the log. */
  readonly #unchecked = new Map<string, QueuedJobEvent>();
  readonly #listeners = new Set<() => void>();
  #reading: Map<string, Promise<Page<E>>> | null = null;
  #holeTimer: NodeJS.Timeout | null = null;
  #waking = false;
  #again = false;
  #head = 0;
  #notifications = 0;
  #expired = false;

  constructor(read: ReadLog<E>) {
    this.#read = read;
  }

  /** Number of the newest event that this process has seen. */
  get head(): number {
    return this.#head;
  }

  /** Count of notifications: a change means that `head` may have grown during a query. */
  get notifications(): number {
    return this.#notifications;
  }

  /** True if the database's history has changed, so that these events belong to the old one. */
  get expired(): boolean {
    return this.#expired;
  }

  get progress(): Pick<ProgressUpdates, "serial" | "after"> {
    return this.#progress;
  }

  receive({ head, events, others = [] }: Arrival<E>): void {
    this.#notifications++;
    for (const seq of others) this.#ring.skip(seq);
    for (const event of events) {
      if ("queuedJob" in event && event.type === "PROGRESS") this.#receiveProgress(event);
      else {
        if ("queuedJob" in event) this.#progress.receiveLogged(event);
        this.#ring.receive(event);
      }
    }
    this.#head = Math.max(this.#head, head ?? 0);
    const isEmpty = events.length === 0 && others.length === 0;
    if (this.#head <= this.#ring.newest || isEmpty) this.#stopHoleTimer();
    else if (this.#ring.started && head !== null) this.#startHoleTimer();
    this.#wake();
  }

  /**
   * Takes the head that a query read from the log. The query began when `notifications` was
   * `notificationsBefore`.
   */
  confirmHead(seq: number, notificationsBefore: number): void {
    this.#seeFrom(seq);
    const notified = this.#notifications !== notificationsBefore;
    const previous = this.#head;
    this.#head = notified ? Math.max(previous, seq) : seq;
    if (!notified) this.#ring.forgetAhead();
    this.#ring.start(seq);
    // No notification announced these events, and the watchdog assumes that this head was
    // announced.
    if (this.#head > previous) this.#wake();
  }

  /** Returns the next event after this position, if it is in memory. */
  after(seq: number): E | undefined {
    return this.#ring.after(seq);
  }

  /** True if memory has all events after this position up to the newest. */
  covers(seq: number): boolean {
    return this.#ring.covers(seq);
  }

  /** Moves a position over numbers that this stream does not have; `after` has found none. */
  past(seq: number): number {
    return this.#ring.covers(seq) ? this.#ring.newest : seq;
  }

  /** True if the events after this position must be read from the log. */
  mustRead(seq: number): boolean {
    return this.#head > seq && !(this.#holeTimer && seq === this.#ring.newest);
  }

  /**
   * Reads a page of the log after a position. Concurrent calls share one query. Later calls find
   * its events in memory.
   */
  page(seq: number, queuedJobId: string | null, groupId: string | null = null): Promise<Page<E>> {
    const key = `${seq} ${queuedJobId ?? groupId}`;
    this.#reading ??= new Map();
    const page =
      this.#reading.get(key) ??
      this.#readPage(seq, queuedJobId, groupId).finally(() => this.#endReading(key));
    this.#reading.set(key, page);
    return page;
  }

  /** Calls `listener` soon after each change, until the returned function is called. */
  join(listener: () => void): () => void {
    // A new function each time, so that the same listener can join twice.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Drops events from before the last call; subscribers that still need them read the log. */
  forget(): void {
    this.#ring.forget();
    this.#progress.forget();
  }

  expire(): void {
    this.#expired = true;
    this.#wake();
  }

  #startHoleTimer(): void {
    this.#holeTimer ??= setTimeout(() => {
      this.#holeTimer = null;
      this.#wake();
    }, HOLE_TIMEOUT_MS).unref();
  }

  #stopHoleTimer(): void {
    if (this.#holeTimer) clearTimeout(this.#holeTimer);
    this.#holeTimer = null;
  }

  /**
   * Passes on a PROGRESS of an attempt that began before this process saw all events only after a
   * look in the log: it may arrive after the end of the attempt.
   */
  #receiveProgress(event: QueuedJobEvent): void {
    const { id } = event.queuedJob;
    if (event.seq >= this.#seenFrom || this.#running.has(id)) return this.#progress.receive(event);
    const checking = this.#unchecked.has(id);
    this.#unchecked.set(id, event);
    if (!checking) void this.#checkProgress(event);
  }

  async #checkProgress({ seq, queuedJob: { id } }: QueuedJobEvent): Promise<void> {
    const seenFrom = this.#seenFrom;
    const page = await this.#read({ seq, queuedJobId: id, limit: 1 }).catch(() => null);
    const newest = this.#unchecked.get(id);
    this.#unchecked.delete(id);
    // Progress is best effort: what was not checked is dropped.
    if (page?.events.length !== 0 || newest?.seq !== seq || seenFrom !== this.#seenFrom) return;
    this.#running.add(id);
    this.#progress.receive(newest);
    this.#wake();
  }

  /** Notes that a stream continues at `seq`, although earlier events were not all seen here. */
  #seeFrom(seq: number): void {
    if (this.#ring.started && seq <= this.#ring.newest) return;
    this.#seenFrom = seq;
    this.#running.clear();
  }

  async #readPage(
    seq: number,
    queuedJobId: string | null,
    groupId: string | null,
  ): Promise<Page<E>> {
    const notificationsBefore = this.#notifications;
    const page = await this.#read({ seq, queuedJobId, groupId, limit: PAGE_SIZE });
    const { whole } = page;
    const to = Math.max(seq, whole ? page.last : (page.events.at(-1)?.seq ?? 0));
    this.#seeFrom(seq);
    for (const event of page.events) if ("queuedJob" in event) this.#progress.receiveLogged(event);
    // Events after a position below the floor were purged, so this page may have gaps.
    if (queuedJobId === null && groupId === null && seq >= page.floor && seq <= page.last)
      this.#ring.fill(seq, page.events, to, whole);
    this.confirmHead(page.last, notificationsBefore);
    return { ...page, to };
  }

  #endReading(key: string): void {
    this.#reading?.delete(key);
    if (this.#reading?.size === 0) this.#reading = null;
  }

  #wake(): void {
    this.#again = this.#waking;
    if (this.#waking || this.#listeners.size === 0) return;
    this.#waking = true;
    this.#wakeSoon(this.#listeners.values());
  }

  #wakeSoon(rest: Iterator<() => void>): void {
    setImmediate(() => this.#wakeSome(rest));
  }

  #wakeSome(rest: Iterator<() => void>): void {
    for (let i = 0; i < WAKE_BATCH_SIZE; i++) {
      const { done, value: listener } = rest.next();
      if (done) {
        this.#waking = false;
        if (this.#again) this.#wake();
        return;
      }
      listener();
    }
    this.#wakeSoon(rest);
  }
}
