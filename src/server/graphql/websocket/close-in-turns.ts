import { setTimeout as pause } from "node:timers/promises";

const AT_ONCE = 100;
const PAUSE_MS = 20;

/**
 * Closes what clients hold open, not all in one moment: they come back somewhere else, and that one
 * has to bear it.
 */
export async function closeInTurns<Held>(
  held: Iterable<Held>,
  close: (one: Held) => void,
): Promise<void> {
  for (const [i, one] of [...held].entries()) {
    if (i > 0 && i % AT_ONCE === 0) await pause(PAUSE_MS);
    close(one);
  }
}
