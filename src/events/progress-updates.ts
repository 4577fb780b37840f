import type { QueuedJobEvent } from "../domain/queued-job.js";

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
