import { setTimeout as pause } from "node:timers/promises";

/**
 * The longer it has lasted, the longer until it is asked again: a probe may be a request, and what
 * waits would slow down what it waits for.
 */
const PAUSE_MS = { least: 10, most: 50 };

/**
 * What `probe` gives as soon as that is neither null, undefined nor false. Fails with the sentence
 * when it has not within `deadlineMs`.
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  deadlineMs = 30_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const begun = Date.now();
  const deadline = begun + deadlineMs;
  let last: unknown;
  do {
    try {
      const found = await probe();
      if (found !== null && found !== undefined && found !== false)
        return found as NonNullable<Exclude<T, false>>;
    } catch (error) {
      last = error;
    }
    await pause(Math.min(PAUSE_MS.most, Math.max(PAUSE_MS.least, (Date.now() - begun) / 10)));
  } while (Date.now() < deadline);
  throw new Error(`Not within ${deadlineMs} ms: ${what}`, { cause: last });
}
