import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";

/** Asks again and again until `fact` holds; fails with `what` after the deadline. */
export async function eventually(what: string, fact: () => boolean, deadlineMs = 10_000): Promise<void> {
  await turn();
  for (const end = Date.now() + deadlineMs; !fact(); await pause(10)) {
    if (Date.now() > end) throw new Error(`Never came true: ${what}.`);
  }
}
