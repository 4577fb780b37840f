import { available, type Database } from "../../db/database.js";

/**
 * Where to begin, and what ends the work early: shutdown, or another worker that has taken it over.
 */
export interface Slice {
  /** What the last slice returned; null at the start of a pass. */
  from: string | null;
  signal: AbortSignal;
}

/**
 * Does a bounded part of recurring work; returns where the next slice begins, null at the end of a
 * pass.
 */
export type MaintenanceTask = (slice: Slice) => Promise<string | null>;

export interface Duties {
  /**
   * Whether `holder` has this duty for the next `seconds`: nobody had it, it had lapsed, or it is
   * renewed.
   */
  hold(name: string, holder: string, seconds: number): Promise<boolean>;
}

/**
 * One holder at a time, by a row and compare and set: nothing is locked while the work is done, and
 * a dead holder is replaced in time.
 */
export function createDuties({ sql }: Database): Duties {
  return {
    hold: (name, holder, seconds) =>
      available(async () => {
        const rows = await sql`
          insert into duties (name, holder, held_until)
            values (${name}, ${holder}, clock_timestamp() + ${seconds} * interval '1 second')
          on conflict (name) do update set holder = excluded.holder,
          held_until = excluded.held_until
          where duties.holder = excluded.holder or duties.held_until < clock_timestamp()
            returning name`;
        return rows.length > 0;
      }),
  };
}

interface HeldDuty {
  duties: Duties;
  name: string;
  holder: string;
  /** Ends the work early. */
  signal: AbortSignal;
  seconds?: number;
}

/** How long a duty stays with a holder that died. */
const HELD_SECONDS = 30;

/**
 * Does `work` while the holder has this duty, however long it takes; null when somebody else has
 * it. The signal that `work` is given is aborted when the duty is lost: another one may do the same
 * by then.
 */
export async function whileHolding<T>(
  { duties, name, holder, signal, seconds = HELD_SECONDS }: HeldDuty,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | null> {
  let renewedAt = performance.now();
  if (!(await duties.hold(name, holder, seconds))) return null;
  const lost = new AbortController();
  const lose = () => lost.abort(new Error(`The duty "${name}" was lost to another worker`));

  async function renew(): Promise<void> {
    const askedAt = performance.now();
    const held = await duties.hold(name, holder, seconds).catch(() => null);
    if (held) renewedAt = askedAt;
    // Without an answer it is held until it would lapse.
    if (held === false || performance.now() - renewedAt > (seconds * 1000 * 2) / 3) lose();
  }

  const timer = setInterval(() => void renew(), (seconds * 1000) / 5);
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    clearInterval(timer);
  }
}
