import { setImmediate as nextTurn } from "node:timers/promises";
import { CursorExpiredError, ServiceUnavailableError } from "../errors.js";
import { endsStream } from "../queued-job-status.js";
import type { QueuedJobEvent } from "../queued-job.js";
import type { Channel } from "./channel.js";
import type { EventLog } from "./event-log.js";

/** An event as it is told in a stream: `cursorSeq` is the position to resume from, for a PROGRESS that of the last other one. */
export interface ToldEvent {
  event: QueuedJobEvent;
  cursorSeq: number;
}

export interface Subscription extends AsyncIterableIterator<ToldEvent> {
  /** Wakes a waiting `next`, which then says that it is done. */
  return(): Promise<IteratorResult<ToldEvent>>;
}

const PAGE_SIZE = 100;
/** How long a stream that could not read the log waits before it looks again. */
const PAUSE_MS = 1000;

/**
 * The stream of one subscriber, from a position. Hand-written rather than a generator, whose `return` would wait for an
 * event that may never come, and so leak the channel.
 */
export function createSubscription(options: {
  userId: string;
  queuedJobId: string | null;
  includeProgress: boolean;
  /** The position to go on from. */
  seq: number;
  /** Told before everything else. */
  first: QueuedJobEvent[];
  /** Nothing follows `first`. */
  ended: boolean;
  channel: Channel;
  eventLog: EventLog;
  /** Called with each logged event that was recorded after the stream was opened. */
  onTold?: ((event: QueuedJobEvent) => void) | undefined;
  /** Called once, when the stream is over, however. */
  onEnd: () => void;
}): Subscription {
  const { userId, queuedJobId, includeProgress, channel, eventLog } = options;
  let { seq: position, ended } = options;
  let told = position;
  let page = options.first;
  // Where the log stood when `page` was read to its end: nothing of this stream lies between.
  let afterPage = position;
  let progressSerial = channel.progressSerial;
  let closed = false;
  // What is up to here is replayed: its age says nothing of how fast events are told.
  const replayed = Math.max(channel.head, position);

  function close(): void {
    if (closed) return;
    closed = true;
    options.onEnd();
    channel.wake();
  }

  function isWanted(event: QueuedJobEvent): boolean {
    return queuedJobId === null || event.queuedJob.id === queuedJobId;
  }

  /** The next event that is at hand without a query; moves the position. */
  function atHand(): QueuedJobEvent | undefined {
    const paged = page.shift();
    if (paged) {
      position = page.length > 0 ? paged.seq : Math.max(afterPage, paged.seq);
      return paged;
    }
    for (let event = channel.after(position); event; event = channel.after(position)) {
      position = event.seq;
      if (isWanted(event)) return event;
    }
    return undefined;
  }

  async function readPage(): Promise<void> {
    const bells = channel.bells;
    const { events, last, floor } = await eventLog.read({ userId, seq: position, limit: PAGE_SIZE, queuedJobId });
    if (position < floor) throw new CursorExpiredError("The stream fell behind what is kept: read the page again and go on with its eventCursor.");
    channel.confirmHead(last, bells);
    channel.saw(events);
    page = events;
    afterPage = events.length === PAGE_SIZE ? 0 : last;
    if (events.length === 0) position = Math.max(position, last);
    // A replay of many pages must let the others have their turn.
    await nextTurn();
  }

  /** Returns false when the log could not be read: the stream pauses, it does not end. */
  async function tryReadPage(): Promise<boolean> {
    try {
      await readPage();
      return true;
    } catch (error) {
      if (!(error instanceof ServiceUnavailableError)) throw error;
      return false;
    }
  }

  function nextProgress(): QueuedJobEvent | undefined {
    const entry = includeProgress ? channel.progressAfter(progressSerial, position, queuedJobId) : undefined;
    if (entry) progressSerial = entry.serial;
    return entry?.event;
  }

  /** Nothing more is told, not even what is at hand already: a retry is another stream. */
  function end(): void {
    ended = true;
    page = [];
  }

  async function pull(): Promise<ToldEvent | null> {
    while (!closed) {
      if (ended && page.length === 0) return null;
      const event = atHand();
      if (event) {
        told = event.seq;
        if (told > replayed) options.onTold?.(event);
        if (queuedJobId !== null && endsStream(event.type)) end();
        return { event, cursorSeq: told };
      }
      if (channel.head > position) {
        if (!(await tryReadPage())) await channel.news(PAUSE_MS);
        continue;
      }
      const progress = nextProgress();
      if (progress) return { event: progress, cursorSeq: told };
      await channel.news(null);
    }
    return null;
  }

  return {
    async next() {
      try {
        const value = await pull();
        if (value) return { done: false, value };
      } catch (error) {
        close();
        throw error;
      }
      close();
      return { done: true, value: undefined };
    },
    async return() {
      close();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
