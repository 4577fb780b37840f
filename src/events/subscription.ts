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

/**
 * The stream of one subscriber, from a position. Hand-written rather than a generator, whose
 * `return` would wait for an event that may never come, and so leak the channel.
 */
export function createSubscription(options: {
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
}): Subscription {
  const { epoch, queuedJobId, includeProgress, channel, onTold, onEnd } = options;
  let { seq: position, ended, to: afterPage } = options;
  let page: QueuedJobEvent[] = [];
  let told = position;
  let taken = 0;
  let progressSerial = channel.progress.serial;
  const state: { over: boolean | Error } = { over: false };
  let reading = false;
  let listener = ignore;
  let stalled: NodeJS.Timeout | null = null;
  const leave = channel.join(() => listener());
  // What is up to here is replayed: its age says nothing of how fast events are told.
  const replayed = Math.max(channel.head, position);

  function close(how: true | Error): void {
    if (state.over) return;
    state.over = how;
    endPage();
    leave();
    onEnd();
  }

  function beginPage(events: QueuedJobEvent[]): void {
    [page, taken] = [events, 0];
    const [first] = page;
    // An event at the position itself is not in the log as it is told: it is kept.
    if (first && first.seq > position) watchPage(0);
  }

  function watchPage(takenBefore: number): void {
    stalled = setTimeout(
      () => (taken === takenBefore ? endPage() : watchPage(taken)),
      STALLED_MS,
    ).unref();
  }

  /** What is left of it is read again. */
  function endPage(): void {
    page = [];
    if (stalled) clearTimeout(stalled);
    stalled = null;
  }

  /** The next event that is at hand without a query; moves the position. */
  function atHand(): QueuedJobEvent | undefined {
    const paged = page[taken];
    if (paged) {
      const isLast = ++taken === page.length;
      position = isLast ? Math.max(afterPage, paged.seq) : paged.seq;
      if (isLast) endPage();
      return paged;
    }
    if (ended) return undefined;
    for (let event = channel.after(position); event; event = channel.after(position)) {
      position = event.seq;
      if (queuedJobId === null || event.queuedJob.id === queuedJobId) return event;
    }
    return undefined;
  }

  async function readPage(): Promise<void> {
    const { events, floor, to } = await channel.page(position, queuedJobId);
    if (position < floor)
      throw new CursorExpiredError(
        "The stream fell behind what is kept: read the page again and go on with its eventCursor.",
      );
    if (state.over) return;
    beginPage(events);
    afterPage = to;
    if (events.length === 0) position = Math.max(position, to);
  }

  /** When the log cannot be read the stream pauses, it does not end. */
  async function read(): Promise<void> {
    if (reading) return;
    reading = true;
    try {
      await readPage();
      // A replay of many pages must let the others have their turn.
      await nextTurn();
    } catch (error) {
      if (error instanceof ServiceUnavailableError) await pause(PAUSE_MS, null, { ref: false });
      else close(error as Error);
    }
    reading = false;
    listener();
  }

  function nextProgress(): QueuedJobEvent | undefined {
    const entry = includeProgress
      ? channel.progress.after(progressSerial, position, queuedJobId)
      : undefined;
    if (entry) progressSerial = entry.serial;
    return entry?.event;
  }

  function take(): ToldEvent | undefined {
    if (channel.expired) close(historyChanged());
    if (state.over || reading) return undefined;
    const event = atHand();
    if (event) {
      told = event.seq;
      if (told > replayed) onTold?.(event);
      // Nothing more is told, not even what is at hand already: a retry is another stream.
      if (queuedJobId !== null && endsStream(event.type)) {
        ended = true;
        endPage();
      }
      return { event, cursorSeq: told, epoch };
    }
    if (ended) close(true);
    else if (channel.mustRead(position)) void read();
    else {
      const progress = nextProgress();
      if (progress) return { event: progress, cursorSeq: told, epoch };
    }
    return undefined;
  }

  beginPage(options.first);
  return Object.assign(state, {
    take,
    onNews(news) {
      listener = news;
    },
    async next() {
      for (let value = take(); ; value = take()) {
        if (value) return { done: false, value };
        if (state.over) break;
        await new Promise<void>((resolve) => (listener = resolve));
      }
      const failure = state.over;
      state.over = true;
      if (failure !== true) throw failure;
      return { done: true, value: undefined };
    },
    async return() {
      close(true);
      listener();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  } satisfies Omit<Subscription, keyof typeof state> & ThisType<Subscription>);
}

function historyChanged(): CursorExpiredError {
  return new CursorExpiredError(
    "The history of the database has changed: read the page again and go on with its eventCursor.",
  );
}

function ignore(): void {}
