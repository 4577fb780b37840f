import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { CursorExpiredError, ServiceUnavailableError } from "../domain/errors.js";
import { endsStream } from "../domain/queued-job-status.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";
import type { Channel } from "./channel.js";

/**
 * An event as it is told in a stream: `cursorSeq` is the position to resume from, for a PROGRESS
 * that of the last other one.
 */
export interface ToldEvent {
  event: QueuedJobEvent;
  cursorSeq: number;
  /** Of the history that `cursorSeq` is a position of. */
  epoch: string;
}

/** To be pulled, by `next` or, without a promise for each, by `take` whenever there is news. */
export interface Subscription extends AsyncIterableIterator<ToldEvent> {
  /** The next event, when it is at hand. */
  take(): ToldEvent | undefined;
  /** Once nothing will ever follow what was taken: true, or why it broke. */
  readonly over: boolean | Error;
  /**
   * `listener` is called when it may be worth to `take`, or when the stream is over; instead of who
   * was told before.
   */
  onNews(listener: () => void): void;
  /** Wakes a waiting `next`, which then says that it is done. */
  return(): Promise<IteratorResult<ToldEvent>>;
}

/**
 * How long a page is kept for a reader that takes nothing from it: then it is read again when it is
 * wanted.
 */
export const STALLED_MS = 500;

/** How long a stream that could not read the log waits before it looks again. */
const PAUSE_MS = 1000;

interface SubscriptionOptions {
  epoch: string;
  queuedJobId: string | null;
  includeProgress: boolean;
  /** The position to go on from. */
  seq: number;
  /** Told before everything else, and the position that it leads to. */
  first: QueuedJobEvent[];
  to: number;
  /** Nothing follows `first`. */
  ended: boolean;
  channel: Channel;
  /** Called with each logged event that was recorded after the stream was opened. */
  onTold?: ((event: QueuedJobEvent) => void) | undefined;
  /** Called once, when the stream is over, however. */
  onEnd: () => void;
}

/**
 * The stream of one subscriber, from a position. Hand-written rather than a generator, whose
 * `return` would wait for an event that may never come, and so leak the channel.
 */
export class ChannelSubscription implements Subscription {
  // Not the options as a whole, which would keep the first events.
  readonly #epoch: string;
  readonly #queuedJobId: string | null;
  readonly #includeProgress: boolean;
  readonly #channel: Channel;
  readonly #onTold: ((event: QueuedJobEvent) => void) | undefined;
  readonly #onEnd: () => void;
  readonly #leave: () => void;
  /** What is up to here is replayed: its age says nothing of how fast events are told. */
  readonly #replayed: number;
  #position: number;
  #ended: boolean;
  /** The position that the page leads to. */
  #afterPage: number;
  #page: QueuedJobEvent[] = [];
  /** Events taken of the page. */
  #taken = 0;
  #told: number;
  #progressSerial: number;
  #over: boolean | Error = false;
  #reading = false;
  #listener = ignore;
  #stalled: NodeJS.Timeout | null = null;

  constructor(options: SubscriptionOptions) {
    const { channel, seq } = options;
    this.#epoch = options.epoch;
    this.#queuedJobId = options.queuedJobId;
    this.#includeProgress = options.includeProgress;
    this.#channel = channel;
    this.#onTold = options.onTold;
    this.#onEnd = options.onEnd;
    this.#leave = channel.join(() => this.#listener());
    this.#replayed = Math.max(channel.head, seq);
    this.#position = seq;
    this.#ended = options.ended;
    this.#afterPage = options.to;
    this.#told = seq;
    this.#progressSerial = channel.progress.serial;
    this.#beginPage(options.first);
  }

  get over(): boolean | Error {
    return this.#over;
  }

  take(): ToldEvent | undefined {
    if (this.#channel.expired) this.#close(historyChanged());
    if (this.#over || this.#reading) return undefined;
    const event = this.#atHand();
    if (event) return this.#tell(event);
    if (this.#ended) this.#close(true);
    else if (this.#channel.mustRead(this.#position)) void this.#read();
    else return this.#nextProgress();
    return undefined;
  }

  onNews(listener: () => void): void {
    this.#listener = listener;
  }

  async next(): Promise<IteratorResult<ToldEvent>> {
    for (let value = this.take(); ; value = this.take()) {
      if (value) return { done: false, value };
      if (this.#over) break;
      await new Promise<void>((resolve) => (this.#listener = resolve));
    }
    const failure = this.#over;
    this.#over = true;
    if (failure !== true) throw failure;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<ToldEvent>> {
    this.#close(true);
    this.#listener();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #close(how: true | Error): void {
    if (this.#over) return;
    this.#over = how;
    this.#endPage();
    this.#leave();
    this.#onEnd();
  }

  /** The next event that is at hand without a query; moves the position. */
  #atHand(): QueuedJobEvent | undefined {
    const paged = this.#page[this.#taken];
    if (paged) {
      const isLast = ++this.#taken === this.#page.length;
      this.#position = isLast ? Math.max(this.#afterPage, paged.seq) : paged.seq;
      if (isLast) this.#endPage();
      return paged;
    }
    if (this.#ended) return undefined;
    const channel = this.#channel;
    const id = this.#queuedJobId;
    for (let event = channel.after(this.#position); event; event = channel.after(this.#position)) {
      this.#position = event.seq;
      if (id === null || event.queuedJob.id === id) return event;
    }
    return undefined;
  }

  #tell(event: QueuedJobEvent): ToldEvent {
    this.#told = event.seq;
    if (event.seq > this.#replayed) this.#onTold?.(event);
    // Nothing more is told, not even what is at hand already: a retry is another stream.
    if (this.#queuedJobId !== null && endsStream(event.type)) {
      this.#ended = true;
      this.#endPage();
    }
    return { event, cursorSeq: event.seq, epoch: this.#epoch };
  }

  #nextProgress(): ToldEvent | undefined {
    if (!this.#includeProgress) return undefined;
    const { progress } = this.#channel;
    const entry = progress.after(this.#progressSerial, this.#position, this.#queuedJobId);
    if (!entry) return undefined;
    this.#progressSerial = entry.serial;
    return { event: entry.event, cursorSeq: this.#told, epoch: this.#epoch };
  }

  /** When the log cannot be read the stream pauses, it does not end. */
  async #read(): Promise<void> {
    this.#reading = true;
    try {
      await this.#readPage();
      // A replay of many pages must let the others have their turn.
      await nextTurn();
    } catch (error) {
      if (error instanceof ServiceUnavailableError) await pause(PAUSE_MS, null, { ref: false });
      else this.#close(error as Error);
    }
    this.#reading = false;
    this.#listener();
  }

  async #readPage(): Promise<void> {
    const { events, floor, to } = await this.#channel.page(this.#position, this.#queuedJobId);
    if (this.#position < floor)
      throw new CursorExpiredError(
        "The stream fell behind what is kept: read the page again and go on with its eventCursor.",
      );
    if (this.#over) return;
    this.#beginPage(events);
    this.#afterPage = to;
    if (events.length === 0) this.#position = Math.max(this.#position, to);
  }

  #beginPage(events: QueuedJobEvent[]): void {
    this.#page = events;
    this.#taken = 0;
    const [first] = events;
    // An event at the position itself is not in the log as it is told: it is kept.
    if (first && first.seq > this.#position) this.#watchPage(0);
  }

  #watchPage(takenBefore: number): void {
    this.#stalled = setTimeout(
      () => (this.#taken === takenBefore ? this.#endPage() : this.#watchPage(this.#taken)),
      STALLED_MS,
    ).unref();
  }

  /** What is left of it is read again. */
  #endPage(): void {
    this.#page = [];
    if (this.#stalled) clearTimeout(this.#stalled);
    this.#stalled = null;
  }
}

function historyChanged(): CursorExpiredError {
  return new CursorExpiredError(
    "The history of the database has changed: read the page again and go on with its eventCursor.",
  );
}

function ignore(): void {}
