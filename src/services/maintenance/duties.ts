import { available, type Database } from "../../db/database.js";

/**
 * The start of a slice and the signal that ends it early: at shutdown, or when another worker takes
 * over.
 */
export interface Slice {
  /** The value that the last slice returned; null at the start of a pass. */
  from: string | null;
  signal: AbortSignal;
}

/**
 * Does a bounded part of recurring work. Returns the start of the next slice, or null at the end of
 * a pass.
 */
export type MaintenanceTask = (slice: Slice) => Promise<string | null>;

export interface Duties {
  /**
   * Returns true if `holder` has this duty for the next `seconds`: it was free, had lapsed, or was
   * renewed.
   */
  hold(name: string, holder: string, seconds: number): Promise<boolean>;
}

/**
 * Gives a duty to one holder at a time, by compare and set of a row. Nothing is locked during the
 * work, and a dead holder is replaced after its time.
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

/** Time for which a duty stays with a holder that died. */
const HELD_SECONDS = 30;

/**
 * Does `work` while the holder has this duty, however long it takes; null when another holder has
 * it. The signal of `work` is aborted when the duty is lost, because another holder may then do the
 * same work.
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
    const sentAt = performance.now();
    const held = await duties.hold(name, holder, seconds).catch(() => null);
    if (held) renewedAt = sentAt;
    // Without an answer, the duty is kept until shortly before it would lapse.
    if (held === false || performance.now() - renewedAt > (seconds * 1000 * 2) / 3) lose();
  }

  const timer = setInterval(() => void renew(), (seconds * 1000) / 5);
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    clearInterval(timer);
  }
}
