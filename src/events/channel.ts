import { LRUCache } from "lru-cache";
import type { QueuedJobEvent } from "../queued-job.js";
import type { Bell } from "./event-bus.js";

/** Events that a process keeps of a user with a subscriber, so that the usual delivery costs no query. */
const RING_SIZE = 256;
const MOST_IN_PROGRESS = 1000;

/** What a process knows of one user's events while somebody here listens. */
export interface Channel {
  /** The number of the newest event, as far as is known. */
  readonly head: number;
  /** Grows with each bell: tells whether `head` was heard of while a query was under way. */
  readonly bells: number;
  /** Grows with each PROGRESS; a subscriber has told those up to its own. */
  readonly progressSerial: number;
  hear(bell: Bell): void;
  /** The log's own word on where it stands, by a query that began when `bells` was `bellsBefore`. */
  confirmHead(head: number, bellsBefore: number): void;
  /** Events that were read from the log; a PROGRESS from before them is stale. */
  saw(events: QueuedJobEvent[]): void;
  /** The event that follows this position, when it is at hand. */
  after(seq: number): QueuedJobEvent | undefined;
  /** The oldest PROGRESS that is not told yet and that does not overtake what is. */
  progressAfter(serial: number, seq: number, queuedJobId: string | null): { serial: number; event: QueuedJobEvent } | undefined;
  /** Resolves at the next news, or when the time is up. */
  news(timeoutMs: number | null): Promise<void>;
  wake(): void;
}

export function createChannel(): Channel {
  let head = 0;
  let bells = 0;
  let progressSerial = 0;
  let ring: QueuedJobEvent[] = [];
  const progress = new Map<string, { serial: number; event: QueuedJobEvent }>();
  const lastLogged = new LRUCache<string, number>({ max: 1000 });
  const waiting = new Set<() => void>();

  function note({ seq, queuedJob }: QueuedJobEvent): void {
    lastLogged.set(queuedJob.id, Math.max(seq, lastLogged.get(queuedJob.id) ?? 0));
    const told = progress.get(queuedJob.id);
    if (told && told.event.seq < seq) progress.delete(queuedJob.id);
  }

  function hearLogged(event: QueuedJobEvent): void {
    note(event);
    const newest = ring.at(-1)?.seq;
    if (newest !== undefined && event.seq <= newest) return;
    // A hole: what is kept must follow each other, the rest is read from the log.
    if (newest !== undefined && event.seq > newest + 1) ring = [];
    ring.push(event);
  }

  function hearProgress(event: QueuedJobEvent): void {
    if ((lastLogged.get(event.queuedJob.id) ?? 0) > event.seq) return;
    progress.delete(event.queuedJob.id);
    progress.set(event.queuedJob.id, { serial: ++progressSerial, event });
    // Of those whose end was not heard the oldest goes.
    const [oldest] = progress.keys();
    if (progress.size > MOST_IN_PROGRESS && oldest !== undefined) progress.delete(oldest);
  }

  function wake(): void {
    for (const resolve of waiting) resolve();
    waiting.clear();
  }

  return {
    get head() {
      return head;
    },
    get bells() {
      return bells;
    },
    get progressSerial() {
      return progressSerial;
    },
    hear(bell) {
      bells++;
      for (const event of bell.events) (event.type === "PROGRESS" ? hearProgress : hearLogged)(event);
      if (ring.length > RING_SIZE) ring = ring.slice(-RING_SIZE);
      head = Math.max(head, bell.head ?? 0);
      wake();
    },
    confirmHead(seq, bellsBefore) {
      head = bells === bellsBefore ? seq : Math.max(head, seq);
    },
    saw: (events) => events.forEach(note),
    after: (seq) => ring[seq + 1 - (ring[0]?.seq ?? Infinity)],
    progressAfter(serial, seq, queuedJobId) {
      for (const entry of progress.values()) {
        const wanted = queuedJobId === null || entry.event.queuedJob.id === queuedJobId;
        if (wanted && entry.serial > serial && entry.event.seq <= seq) return entry;
      }
      return undefined;
    },
    news: (timeoutMs) =>
      new Promise((resolve) => {
        const timer = timeoutMs === null ? undefined : setTimeout(done, timeoutMs);
        function done() {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
        waiting.add(done);
      }),
    wake,
  };
}
