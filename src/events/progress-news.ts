import type { QueuedJobEvent } from "../domain/queued-job.js";

const MOST_IN_PROGRESS = 1000;
/** QueuedJobs of which is remembered where their last event stands; twice as many are, at most. */
const MOST_REMEMBERED = 1000;
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

  hear(event: QueuedJobEvent): void {
    const { id } = event.queuedJob;
    if (this.#lastLogged(id) > event.seq) return;
    const last = (this.#last ??= new Map());
    last.delete(id);
    last.set(id, { serial: ++this.#serial, event });
    // Of those whose end was not heard the oldest goes.
    const [oldest] = last.keys();
    if (last.size > MOST_IN_PROGRESS && oldest !== undefined) last.delete(oldest);
  }

  /** A logged event; a PROGRESS from before it is stale. */
  saw({ seq, queuedJob: { id } }: QueuedJobEvent): void {
    this.#logged ??= new Map();
    this.#logged.set(id, Math.max(seq, this.#lastLogged(id)));
    if (this.#logged.size > MOST_REMEMBERED) this.#turn();
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
