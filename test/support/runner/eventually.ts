import { setTimeout as pause } from "node:timers/promises";

/** Pauses grow with time, because probes may be requests that slow down the tested process. */
const PAUSE_MS = { least: 10, most: 50 };

/**
 * Resolves with the probe's value once it is not null, undefined or false. Throws an error with
 * the text of `what` after `deadlineMs`.
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  deadlineMs = 30_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const startedAt = Date.now();
  const deadline = startedAt + deadlineMs;
  let last: unknown;
  do {
    try {
      const value = await probe();
      if (value !== null && value !== undefined && value !== false)
        return value as NonNullable<Exclude<T, false>>;
    } catch (error) {
      last = error;
    }
    await pause(Math.min(PAUSE_MS.most, Math.max(PAUSE_MS.least, (Date.now() - startedAt) / 10)));
  } while (Date.now() < deadline);
  throw new Error(`Not within ${deadlineMs} ms: ${what}`, { cause: last });
}
