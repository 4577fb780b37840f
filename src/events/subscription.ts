import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { CursorExpiredError, ServiceUnavailableError } from "../domain/errors.js";
import { endsStream } from "../domain/queued-job-status.js";
import type { UserEvent } from "../domain/photo-event.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";
import type { Channel } from "./channel.js";

/**
 * An event in a stream. `cursorSeq` is the position to resume from; a PROGRESS has the position of
 * the last logged event.
 */
export interface DeliveredEvent<E extends UserEvent = QueuedJobEvent> {
  event: E;
  cursorSeq: number;
  /** Epoch of `cursorSeq`. */
  epoch: string;
}

/**
 * A stream that is pulled with `next`, or with `take` after each call of the listener, which
 * creates no promises.
 */
export interface Subscription<E extends UserEvent = QueuedJobEvent> extends AsyncIterableIterator<
  DeliveredEvent<E>
> {
  /** Returns the next event if it is in memory. */
  take(): DeliveredEvent<E> | undefined;
  /** True once the stream has ended, or the error that ended it. */
  readonly over: boolean | Error;
  /**
   * Sets the only listener. It is called when `take` may return an event, or when the stream has
   * ended.
   */
  onUpdate(listener: () => void): void;
  /** Ends the stream; a pending `next` resolves as done. */
  return(): Promise<IteratorResult<DeliveredEvent<E>>>;
}

/** Time for which a page is kept for a reader that takes no event; later the page is read again. */
export const STALLED_MS = 500;

/** Pause after a failed read of the log. */
const PAUSE_MS = 1000;

export interface SubscriptionOptions<E extends UserEvent> {
  epoch: string;
  queuedJobId: string | null;
  groupId: string | null;
  includeProgress: boolean;
  /** Position to continue from. */
  seq: number;
  /** Events to deliver first, and the position after them. */
  first: E[];
  to: number;
  /** True if no event follows `first`. */
  ended: boolean;
  channel: Channel<E>;
  /** Called with each delivered logged event that was recorded after the stream was opened. */
  onDelivered?: ((event: UserEvent) => void) | undefined;
  /** Called once when the stream ends for any reason. */
  onEnd: () => void;
}

/**
 * The stream of one subscriber from a position. It is not a generator: a generator's `return` would
 * wait for the next event, and so leak the channel.
 */
export class ChannelSubscription<E extends UserEvent = QueuedJobEvent> implements Subscription<E> {
  // The options object is not kept, because it holds the first events.
  readonly #epoch: string;
  readonly #queuedJobId: string | null;
  readonly #groupId: string | null;
  readonly #includeProgress: boolean;
  readonly #channel: Channel<E>;
  readonly #onDelivered: ((event: UserEvent) => void) | undefined;
  readonly #onEnd: () => void;
  readonly #leave: () => void;
  /** Position up to which events are replays, whose age is not a delivery delay. */
  readonly #replayed: number;
  #position: number;
  #ended: boolean;
  /** Position after the page. */
  #afterPage: number;
  #page: E[] = [];
  /** Number of events taken from the page. */
  #taken = 0;
  #lastSeq: number;
  #progressSerial: number;
  #over: boolean | Error = false;
  #reading = false;
  #listener = ignore;
  #stalled: NodeJS.Timeout | null = null;

  constructor(options: SubscriptionOptions<E>) {
    const { channel, seq } = options;
    this.#epoch = options.epoch;
    this.#queuedJobId = options.queuedJobId;
    this.#groupId = options.groupId;
    this.#includeProgress = options.includeProgress;
    this.#channel = channel;
    this.#onDelivered = options.onDelivered;
    this.#onEnd = options.onEnd;
    this.#leave = channel.join(() => this.#listener());
    this.#replayed = Math.max(channel.head, seq);
    this.#position = seq;
    this.#ended = options.ended;
    this.#afterPage = options.to;
    this.#lastSeq = seq;
    this.#progressSerial = channel.progress.serial;
    this.#beginPage(options.first);
  }

  get over(): boolean | Error {
    return this.#over;
  }

  take(): DeliveredEvent<E> | undefined {
    if (this.#channel.expired) this.#close(historyChanged());
    if (this.#over || this.#reading) return undefined;
    const event = this.#takeFromMemory();
    if (event) return this.#deliver(event);
    if (this.#ended) this.#close(true);
    else if (this.#channel.mustRead(this.#position)) void this.#read();
    else return this.#nextProgress();
    return undefined;
  }

  onUpdate(listener: () => void): void {
    this.#listener = listener;
  }

  async next(): Promise<IteratorResult<DeliveredEvent<E>>> {
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

  async return(): Promise<IteratorResult<DeliveredEvent<E>>> {
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

  /** Returns the next event that needs no query, and moves the position. */
  #takeFromMemory(): E | undefined {
    const pageEvent = this.#page[this.#taken];
    if (pageEvent) {
      const isLast = ++this.#taken === this.#page.length;
      this.#position = isLast ? Math.max(this.#afterPage, pageEvent.seq) : pageEvent.seq;
      if (isLast) this.#endPage();
      return pageEvent;
    }
    if (this.#ended) return undefined;
    const channel = this.#channel;
    for (let event = channel.after(this.#position); event; event = channel.after(this.#position)) {
      this.#position = event.seq;
      if (this.#matches(event)) return event;
    }
    this.#position = channel.past(this.#position);
    return undefined;
  }

  #matches(event: UserEvent): boolean {
    if (this.#groupId !== null)
      return "queuedJob" in event && event.queuedJob.member?.group.id === this.#groupId;
    const id = this.#queuedJobId;
    return id === null || ("queuedJob" in event && event.queuedJob.id === id);
  }

  /** A group ends with the event that shows its end. */
  #isLast(event: UserEvent): boolean {
    if (!("queuedJob" in event) || !endsStream(event.type)) return false;
    if (this.#groupId !== null) return event.queuedJob.member?.group.finishedAt != null;
    return this.#queuedJobId !== null;
  }

  #deliver(event: E): DeliveredEvent<E> {
    this.#lastSeq = event.seq;
    if (event.seq > this.#replayed) this.#onDelivered?.(event);
    // The stream ends here even if more events are in memory: a retry is another stream.
    if (this.#isLast(event)) {
      this.#ended = true;
      this.#endPage();
    }
    return { event, cursorSeq: event.seq, epoch: this.#epoch };
  }

  #nextProgress(): DeliveredEvent<E> | undefined {
    if (!this.#includeProgress) return undefined;
    const { progress } = this.#channel;
    const matches = (event: QueuedJobEvent) => this.#matches(event);
    const entry = progress.after(this.#progressSerial, this.#position, matches);
    if (!entry) return undefined;
    this.#progressSerial = entry.serial;
    // Only the stream of QueuedJobs asks for PROGRESS.
    const event = entry.event as UserEvent as E;
    return { event, cursorSeq: this.#lastSeq, epoch: this.#epoch };
  }

  /** If the log cannot be read, the stream pauses; it does not end. */
  async #read(): Promise<void> {
    this.#reading = true;
    try {
      await this.#readPage();
      // A replay of many pages must not block other work.
      await nextTurn();
    } catch (error) {
      if (error instanceof ServiceUnavailableError) await pause(PAUSE_MS, null, { ref: false });
      else this.#close(error as Error);
    }
    this.#reading = false;
    this.#listener();
  }

  async #readPage(): Promise<void> {
    const { events, floor, to } = await this.#channel.page(
      this.#position,
      this.#queuedJobId,
      this.#groupId,
    );
    if (this.#position < floor)
      throw new CursorExpiredError(
        "The stream fell behind the kept events: read the page again and continue with its " +
          "eventCursor.",
      );
    if (this.#over) return;
    this.#beginPage(events);
    this.#afterPage = to;
    if (events.length === 0) this.#position = Math.max(this.#position, to);
  }

  #beginPage(events: E[]): void {
    this.#page = events;
    this.#taken = 0;
    const [first] = events;
    // An event at the position itself differs from the log, so it must be kept.
    if (first && first.seq > this.#position) this.#watchPage(0);
  }

  #watchPage(takenBefore: number): void {
    this.#stalled = setTimeout(
      () => (this.#taken === takenBefore ? this.#endPage() : this.#watchPage(this.#taken)),
      STALLED_MS,
    ).unref();
  }

  /** The rest of the page is read again when needed. */
  #endPage(): void {
    this.#page = [];
    if (this.#stalled) clearTimeout(this.#stalled);
    this.#stalled = null;
  }
}

function historyChanged(): CursorExpiredError {
  return new CursorExpiredError(
    "The history of the database has changed: read the page again and continue with its " +
      "eventCursor.",
  );
}

function ignore(): void {}
