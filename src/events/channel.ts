import type { QueuedJobEvent } from "../domain/queued-job.js";
import type { Notification } from "./event-bus.js";
import type { LogPage } from "./event-log.js";
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
interface Page extends LogPage {
  /** Position after the page: the log has no other events up to here. */
  to: number;
}

type ReadLog = (query: {
  seq: number;
  queuedJobId: string | null;
  limit: number;
}) => Promise<LogPage>;

/** One user's events in a process, while the user has a listener here. */
export class Channel {
  readonly #read: ReadLog;
  readonly #ring = new Ring();
  readonly #progress = new ProgressUpdates();
  readonly #listeners = new Set<() => void>();
  #reading: Map<string, Promise<Page>> | null = null;
  #holeTimer: NodeJS.Timeout | null = null;
  #waking = false;
  #again = false;
  #head = 0;
  #notifications = 0;
  #expired = false;

  constructor(read: ReadLog) {
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

  receive(notification: Notification): void {
    this.#notifications++;
    for (const event of notification.events) {
      if (event.type === "PROGRESS") this.#progress.receive(event);
      else {
        this.#progress.receiveLogged(event);
        this.#ring.receive(event);
      }
    }
    this.#head = Math.max(this.#head, notification.head ?? 0);
    if (this.#head <= this.#ring.newest || notification.events.length === 0) this.#stopHoleTimer();
    else if (this.#ring.started && notification.head !== null) this.#startHoleTimer();
    this.#wake();
  }

  /**
   * Takes the head that a query read from the log. The query began when `notifications` was
   * `notificationsBefore`.
   */
  confirmHead(seq: number, notificationsBefore: number): void {
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
  after(seq: number): QueuedJobEvent | undefined {
    return this.#ring.after(seq);
  }

  /** True if memory has all events after this position up to the newest. */
  covers(seq: number): boolean {
    return this.#ring.covers(seq);
  }

  /** True if the events after this position must be read from the log. */
  mustRead(seq: number): boolean {
    return this.#head > seq && !(this.#holeTimer && seq === this.#ring.newest);
  }

  /**
   * Reads a page of the log after a position. Concurrent calls share one query. Later calls find
   * its events in memory.
   */
  page(seq: number, queuedJobId: string | null): Promise<Page> {
    const key = `${seq} ${queuedJobId}`;
    this.#reading ??= new Map();
    const page =
      this.#reading.get(key) ??
      this.#readPage(seq, queuedJobId).finally(() => this.#endReading(key));
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

  async #readPage(seq: number, queuedJobId: string | null): Promise<Page> {
    const notificationsBefore = this.#notifications;
    const page = await this.#read({ seq, queuedJobId, limit: PAGE_SIZE });
    const { whole } = page;
    const to = Math.max(seq, whole ? page.last : (page.events.at(-1)?.seq ?? 0));
    for (const event of page.events) this.#progress.receiveLogged(event);
    // Events after a position below the floor were purged, so this page may have gaps.
    if (queuedJobId === null && seq >= page.floor && seq <= page.last)
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

const MAX_IN_PROGRESS = 1000;
/**
 * Maximum QueuedJobs per generation whose last event number is remembered; there are two
 * generations.
 */
const MAX_REMEMBERED = 1000;
/** Calls of `forget` that end a generation; a PROGRESS is not expected to arrive later. */
const FORGOTTEN_AFTER = 30;

interface Entry {
  serial: number;
  event: QueuedJobEvent;
}

/**
 * The last PROGRESS of each QueuedJob of one user. It is not in the log, so delivery is best
 * effort. It is never sent after the event that ended its attempt.
 */
export class ProgressUpdates {
  // Created on demand, because most users have no progress.
  #last: Map<string, Entry> | null = null;
  #logged: Map<string, number> | null = null;
  #earlier: Map<string, number> | null = null;
  #calls = 0;
  #serial = 0;

  /** Count of PROGRESS events; a subscriber has sent those up to its own count. */
  get serial(): number {
    return this.#serial;
  }

  receive(event: QueuedJobEvent): void {
    const { id } = event.queuedJob;
    if (this.#lastLogged(id) > event.seq) return;
    const last = (this.#last ??= new Map());
    last.delete(id);
    last.set(id, { serial: ++this.#serial, event });
    // The oldest is dropped; the notification of its end was lost.
    const [oldest] = last.keys();
    if (last.size > MAX_IN_PROGRESS && oldest !== undefined) last.delete(oldest);
  }

  /** Records a logged event; an earlier PROGRESS is then stale. */
  receiveLogged({ seq, queuedJob: { id } }: QueuedJobEvent): void {
    this.#logged ??= new Map();
    this.#logged.set(id, Math.max(seq, this.#lastLogged(id)));
    if (this.#logged.size > MAX_REMEMBERED) this.#startGeneration();
    const progress = this.#last?.get(id);
    if (progress && progress.event.seq < seq) this.#last?.delete(id);
  }

  /** Returns the oldest PROGRESS that is not sent yet and does not overtake the position `seq`. */
  after(sentSerial: number, seq: number, queuedJobId: string | null): Entry | undefined {
    if (sentSerial === this.#serial || !this.#last) return undefined;
    for (const entry of this.#last.values()) {
      const matches = queuedJobId === null || entry.event.queuedJob.id === queuedJobId;
      if (matches && entry.serial > sentSerial && entry.event.seq <= seq) return entry;
    }
    return undefined;
  }

  /** Drops QueuedJobs that had no event during the last calls. */
  forget(): void {
    if (++this.#calls >= FORGOTTEN_AFTER) this.#startGeneration();
  }

  #lastLogged(id: string): number {
    return this.#logged?.get(id) ?? this.#earlier?.get(id) ?? 0;
  }

  #startGeneration(): void {
    this.#earlier = this.#logged;
    this.#logged = null;
    if (this.#last?.size === 0) this.#last = null;
    this.#calls = 0;
  }
}
