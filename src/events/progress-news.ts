import type { QueuedJobEvent } from "../queued-job.js";

const MOST_IN_PROGRESS = 1000;
/** QueuedJobs of which is remembered where their last event stands; twice as many are, at most. */
const MOST_REMEMBERED = 1000;

/** The last PROGRESS of each QueuedJob of one user, which is in no log: best effort, but never told behind what ended its attempt. */
export interface ProgressNews {
  /** Grows with each PROGRESS; a subscriber has told those up to its own. */
  readonly serial: number;
  hear(event: QueuedJobEvent): void;
  /** A logged event; a PROGRESS from before it is stale. */
  saw(event: QueuedJobEvent): void;
  /** The oldest that is not told yet and that does not overtake what is. */
  after(serial: number, seq: number, queuedJobId: string | null): { serial: number; event: QueuedJobEvent } | undefined;
  /** Lets go of what was not heard of since the last few calls. */
  forget(): void;
}

/** Calls of `forget` until something is: a PROGRESS that is later than that is not to be feared. */
const FORGOTTEN_AFTER = 30;

export function createProgressNews(): ProgressNews {
  let serial = 0;
  const last = new Map<string, { serial: number; event: QueuedJobEvent }>();
  let logged = new Map<string, number>();
  let earlier = new Map<string, number>();
  let calls = 0;

  const lastLogged = (id: string) => logged.get(id) ?? earlier.get(id) ?? 0;

  function turn(): void {
    earlier = logged;
    logged = new Map();
    calls = 0;
  }

  return {
    get serial() {
      return serial;
    },
    hear(event) {
      const { id } = event.queuedJob;
      if (lastLogged(id) > event.seq) return;
      last.delete(id);
      last.set(id, { serial: ++serial, event });
      // Of those whose end was not heard the oldest goes.
      const [oldest] = last.keys();
      if (last.size > MOST_IN_PROGRESS && oldest !== undefined) last.delete(oldest);
    },
    saw({ seq, queuedJob: { id } }) {
      logged.set(id, Math.max(seq, lastLogged(id)));
      if (logged.size > MOST_REMEMBERED) turn();
      const told = last.get(id);
      if (told && told.event.seq < seq) last.delete(id);
    },
    after(told, seq, queuedJobId) {
      if (told === serial) return undefined;
      for (const entry of last.values()) {
        const wanted = queuedJobId === null || entry.event.queuedJob.id === queuedJobId;
        if (wanted && entry.serial > told && entry.event.seq <= seq) return entry;
      }
      return undefined;
    },
    forget() {
      if (++calls >= FORGOTTEN_AFTER) turn();
    },
  };
}
