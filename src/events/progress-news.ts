import type { QueuedJobEvent } from "../domain/queued-job.js";

const MOST_IN_PROGRESS = 1000;
/** QueuedJobs of which is remembered where their last event stands; twice as many are, at most. */
const MOST_REMEMBERED = 1000;

/**
 * The last PROGRESS of each QueuedJob of one user, which is in no log: best effort, but never told
 * behind what ended its attempt.
 */
export interface ProgressNews {
  /** Grows with each PROGRESS; a subscriber has told those up to its own. */
  readonly serial: number;
  hear(event: QueuedJobEvent): void;
  /** A logged event; a PROGRESS from before it is stale. */
  saw(event: QueuedJobEvent): void;
  /** The oldest that is not told yet and that does not overtake what is. */
  after(
    serial: number,
    seq: number,
    queuedJobId: string | null,
  ): { serial: number; event: QueuedJobEvent } | undefined;
  /** Lets go of what was not heard of since the last few calls. */
  forget(): void;
}

/** Calls of `forget` until something is: a PROGRESS that is later than that is not to be feared. */
const FORGOTTEN_AFTER = 30;

export function createProgressNews(): ProgressNews {
  const state = { serial: 0 };
  // Made when there is something to keep: most users are silent.
  let last: Map<string, { serial: number; event: QueuedJobEvent }> | null = null;
  let logged: Map<string, number> | null = null;
  let earlier: Map<string, number> | null = null;
  let calls = 0;

  const lastLogged = (id: string) => logged?.get(id) ?? earlier?.get(id) ?? 0;

  function turn(): void {
    earlier = logged;
    logged = null;
    if (last?.size === 0) last = null;
    calls = 0;
  }

  return Object.assign(state, {
    hear(event) {
      const { id } = event.queuedJob;
      if (lastLogged(id) > event.seq) return;
      last ??= new Map();
      last.delete(id);
      last.set(id, { serial: ++state.serial, event });
      // Of those whose end was not heard the oldest goes.
      const [oldest] = last.keys();
      if (last.size > MOST_IN_PROGRESS && oldest !== undefined) last.delete(oldest);
    },
    saw({ seq, queuedJob: { id } }) {
      logged ??= new Map();
      logged.set(id, Math.max(seq, lastLogged(id)));
      if (logged.size > MOST_REMEMBERED) turn();
      const told = last?.get(id);
      if (told && told.event.seq < seq) last?.delete(id);
    },
    after(told, seq, queuedJobId) {
      if (told === state.serial) return undefined;
      for (const entry of last?.values() ?? []) {
        const wanted = queuedJobId === null || entry.event.queuedJob.id === queuedJobId;
        if (wanted && entry.serial > told && entry.event.seq <= seq) return entry;
      }
      return undefined;
    },
    forget() {
      if (++calls >= FORGOTTEN_AFTER) turn();
    },
  } satisfies Omit<ProgressNews, keyof typeof state>);
}
