import type { QueuedJobEvent } from "../domain/queued-job.js";
import type { Notification } from "./event-bus.js";
import type { LogPage } from "./event-log.js";
import { Ring } from "./ring.js";

const PAGE_SIZE = 100;
/** For an event that a later one has overtaken on its way: its notification is most often right behind. */
const HOLE_TIMEOUT_MS = 50;
/**
 * Listeners that are woken before others have their turn: a fan-out to all of a large feed takes
 * longer than anybody should wait.
 */
const WAKE_BATCH_SIZE = 500;

/** What follows a position in the log, as far as one query reads. */
interface Page extends LogPage {
  /** The position that it leads to: nothing lies between its events and that. */
  to: number;
}

type ReadLog = (query: {
  seq: number;
  queuedJobId: string | null;
  limit: number;
}) => Promise<LogPage>;

/** What a process knows of one user's events while somebody here listens. */
export class Channel {
  readonly #read: ReadLog;
  readonly #ring = new Ring();
  readonly #progress = new ProgressNews();
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

  /** The number of the newest event, as far as is known. */
  get head(): number {
    return this.#head;
  }

  /** Grows with each notification: tells whether `head` was heard of while a query was under way. */
  get notifications(): number {
    return this.#notifications;
  }

  /** Whether the database's history has changed, so that what is here is of another one. */
  get expired(): boolean {
    return this.#expired;
  }

  get progress(): Pick<ProgressNews, "serial" | "after"> {
    return this.#progress;
  }

  receive(notification: Notification): void {
    this.#notifications++;
    for (const event of notification.events) {
      if (event.type === "PROGRESS") this.#progress.receive(event);
      else {
        this.#progress.saw(event);
        this.#ring.receive(event);
      }
    }
    this.#head = Math.max(this.#head, notification.head ?? 0);
    if (this.#head <= this.#ring.newest || notification.events.length === 0) this.#stopHoleTimer();
    else if (this.#ring.started && notification.head !== null) this.#startHoleTimer();
    this.#wake();
  }

  /**
   * The log's own word on where it stands, by a query that began when `notifications` was `notificationsBefore`.
   */
  confirmHead(seq: number, notificationsBefore: number): void {
    const heard = this.#notifications !== notificationsBefore;
    const known = this.#head;
    this.#head = heard ? Math.max(known, seq) : seq;
    if (!heard) this.#ring.forgetAhead();
    this.#ring.start(seq);
    // No notification told of it, and the watchdog takes what is known here for told.
    if (this.#head > known) this.#wake();
  }

  /** The event that follows this position, when it is at hand. */
  after(seq: number): QueuedJobEvent | undefined {
    return this.#ring.after(seq);
  }

  /** Whether all that follows this position is at hand, or will be heard of. */
  covers(seq: number): boolean {
    return this.#ring.covers(seq);
  }

  /** Whether what follows this position is to be read from the log. */
  mustRead(seq: number): boolean {
    return this.#head > seq && !(this.#holeTimer && seq === this.#ring.newest);
  }

  /**
   * A page of the log behind a position; who asks for the same while it is read shares it, and
   * whoever comes later finds it at hand.
   */
  page(seq: number, queuedJobId: string | null): Promise<Page> {
    const key = `${seq} ${queuedJobId}`;
    this.#reading ??= new Map();
    const asked =
      this.#reading.get(key) ??
      this.#readPage(seq, queuedJobId).finally(() => this.#endReading(key));
    this.#reading.set(key, asked);
    return asked;
  }

  /** `listener` is called, soon, after each news; until the returned function is called. */
  join(listener: () => void): () => void {
    // A function of its own, so that each counts whatever was given.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Lets go of what was heard before the last call: who has not told it by now reads the log. */
  forget(): void {
    this.#ring.forget();
    this.#progress.forget();
  }

  /** Marks it as expired, and wakes its listeners. */
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
    for (const event of page.events) this.#progress.saw(event);
    // Behind a position below the floor there was more than is there now.
    if (queuedJobId === null && seq >= page.floor && seq <= page.last)
      this.#ring.learn(seq, page.events, to, whole);
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
/** QueuedJobs of which is remembered where their last event stands; twice as many are, at most. */
const MAX_REMEMBERED = 1000;
/** Calls of `forget` until something is: a PROGRESS that is later than that is not to be feared. */
const FORGOTTEN_AFTER = 30;

interface Entry {
  serial: number;
  event: QueuedJobEvent;
}

/**
 * The last PROGRESS of each QueuedJob of one user, which is in no log: best effort, but never told
 * behind what ended its attempt.
 */
export class ProgressNews {
  // Made when there is something to keep: most users are silent.
  #last: Map<string, Entry> | null = null;
  #logged: Map<string, number> | null = null;
  #earlier: Map<string, number> | null = null;
  #calls = 0;
  #serial = 0;

  /** Grows with each PROGRESS; a subscriber has told those up to its own. */
  get serial(): number {
    return this.#serial;
  }

  receive(event: QueuedJobEvent): void {
    const { id } = event.queuedJob;
    if (this.#lastLogged(id) > event.seq) return;
    const last = (this.#last ??= new Map());
    last.delete(id);
    last.set(id, { serial: ++this.#serial, event });
    // Of those whose end was not heard the oldest goes.
    const [oldest] = last.keys();
    if (last.size > MAX_IN_PROGRESS && oldest !== undefined) last.delete(oldest);
  }

  /** A logged event; a PROGRESS from before it is stale. */
  saw({ seq, queuedJob: { id } }: QueuedJobEvent): void {
    this.#logged ??= new Map();
    this.#logged.set(id, Math.max(seq, this.#lastLogged(id)));
    if (this.#logged.size > MAX_REMEMBERED) this.#turn();
    const told = this.#last?.get(id);
    if (told && told.event.seq < seq) this.#last?.delete(id);
  }

  /** The oldest that is not told yet and that does not overtake what is. */
  after(told: number, seq: number, queuedJobId: string | null): Entry | undefined {
    if (told === this.#serial || !this.#last) return undefined;
    for (const entry of this.#last.values()) {
      const wanted = queuedJobId === null || entry.event.queuedJob.id === queuedJobId;
      if (wanted && entry.serial > told && entry.event.seq <= seq) return entry;
    }
    return undefined;
  }

  /** Lets go of what was not heard of since the last few calls. */
  forget(): void {
    if (++this.#calls >= FORGOTTEN_AFTER) this.#turn();
  }

  #lastLogged(id: string): number {
    return this.#logged?.get(id) ?? this.#earlier?.get(id) ?? 0;
  }

  #turn(): void {
    this.#earlier = this.#logged;
    this.#logged = null;
    if (this.#last?.size === 0) this.#last = null;
    this.#calls = 0;
  }
}
