import type { QueuedJobEvent } from "../domain/queued-job.js";
import type { Bell } from "./event-bus.js";
import type { LogPage } from "./event-log.js";
import { createProgressNews, type ProgressNews } from "./progress-news.js";
import { createRing } from "./ring.js";

const PAGE_SIZE = 100;
/** For an event that a later one has overtaken on its way: its bell is most often right behind. */
const HOLE_PATIENCE_MS = 50;
/**
 * Listeners that are woken before others have their turn: a fan-out to all of a large feed takes
 * longer than anybody should wait.
 */
const WOKEN_AT_ONCE = 500;

/** What follows a position in the log, as far as one query reads. */
export interface Page extends LogPage {
  /** The position that it leads to: nothing lies between its events and that. */
  to: number;
}

/** What a process knows of one user's events while somebody here listens. */
export interface Channel {
  /** The number of the newest event, as far as is known. */
  readonly head: number;
  /** Grows with each bell: tells whether `head` was heard of while a query was under way. */
  readonly bells: number;
  /** Whether the database's history has changed, so that what is here is of another one. */
  readonly expired: boolean;
  readonly progress: Pick<ProgressNews, "serial" | "after">;
  hear(bell: Bell): void;
  /**
   * The log's own word on where it stands, by a query that began when `bells` was `bellsBefore`.
   */
  confirmHead(head: number, bellsBefore: number): void;
  /** The event that follows this position, when it is at hand. */
  after(seq: number): QueuedJobEvent | undefined;
  /** Whether all that follows this position is at hand, or will be heard of. */
  covers(seq: number): boolean;
  /** Whether what follows this position is to be read from the log. */
  mustRead(seq: number): boolean;
  /**
   * A page of the log behind a position; who asks for the same while it is read shares it, and
   * whoever comes later finds it at hand.
   */
  page(seq: number, queuedJobId: string | null): Promise<Page>;
  /** `listener` is called, soon, after each news; until the returned function is called. */
  join(listener: () => void): () => void;
  /** Lets go of what was heard before the last call: who has not told it by now reads the log. */
  forget(): void;
  /** Marks it as expired, and wakes its listeners. */
  expire(): void;
}

export function createChannel(
  read: (query: { seq: number; queuedJobId: string | null; limit: number }) => Promise<LogPage>,
): Channel {
  const state = { head: 0, bells: 0, expired: false };
  let patience: NodeJS.Timeout | null = null;
  const ring = createRing();
  const progress = createProgressNews();
  const listeners = new Set<() => void>();
  let reading: Map<string, Promise<Page>> | null = null;
  let waking = false;
  let again = false;

  function endPatience(): void {
    if (patience) clearTimeout(patience);
    patience = null;
  }

  function hear(bell: Bell): void {
    state.bells++;
    for (const event of bell.events) {
      if (event.type === "PROGRESS") progress.hear(event);
      else {
        progress.saw(event);
        ring.hear(event);
      }
    }
    state.head = Math.max(state.head, bell.head ?? 0);
    if (state.head <= ring.newest || bell.events.length === 0) endPatience();
    else if (ring.started && bell.head !== null)
      patience ??= setTimeout(() => {
        patience = null;
        wake();
      }, HOLE_PATIENCE_MS).unref();
    wake();
  }

  function confirmHead(seq: number, bellsBefore: number): void {
    const heard = state.bells !== bellsBefore;
    const known = state.head;
    state.head = heard ? Math.max(known, seq) : seq;
    if (!heard) ring.forgetAhead();
    ring.start(seq);
    // No bell told of it, and the watchdog takes what is known here for told.
    if (state.head > known) wake();
  }

  async function readPage(seq: number, queuedJobId: string | null): Promise<Page> {
    const bellsBefore = state.bells;
    const page = await read({ seq, queuedJobId, limit: PAGE_SIZE });
    const { whole } = page;
    const to = Math.max(seq, whole ? page.last : (page.events.at(-1)?.seq ?? 0));
    for (const event of page.events) progress.saw(event);
    // Behind a position below the floor there was more than is there now.
    if (queuedJobId === null && seq >= page.floor && seq <= page.last)
      ring.learn(seq, page.events, to, whole);
    confirmHead(page.last, bellsBefore);
    return { ...page, to };
  }

  function wake(): void {
    again = waking;
    if (waking || listeners.size === 0) return;
    waking = true;
    setImmediate(wakeSome, listeners.values());
  }

  function wakeSome(rest: Iterator<() => void>): void {
    for (let i = 0; i < WOKEN_AT_ONCE; i++) {
      const { done, value: listener } = rest.next();
      if (done) {
        waking = false;
        if (again) wake();
        return;
      }
      listener();
    }
    setImmediate(wakeSome, rest);
  }

  function readOnce(seq: number, queuedJobId: string | null): Promise<Page> {
    const key = `${seq} ${queuedJobId}`;
    reading ??= new Map();
    const asked = reading.get(key) ?? readPage(seq, queuedJobId).finally(() => endReading(key));
    reading.set(key, asked);
    return asked;
  }

  function endReading(key: string): void {
    reading?.delete(key);
    if (reading?.size === 0) reading = null;
  }

  return Object.assign(state, {
    progress,
    hear,
    confirmHead,
    after: ring.after,
    covers: ring.covers,
    mustRead: (seq) => state.head > seq && !(patience && seq === ring.newest),
    page: readOnce,
    join(listener) {
      // A function of its own, so that each counts whatever was given.
      const entry = () => listener();
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    forget() {
      ring.forget();
      progress.forget();
    },
    expire() {
      state.expired = true;
      wake();
    },
  } satisfies Omit<Channel, keyof typeof state>);
}
