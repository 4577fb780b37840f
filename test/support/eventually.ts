import { setTimeout as pause } from "node:timers/promises";

/** What `probe` gives as soon as that is neither null, undefined nor false. Fails with the sentence when it has not within `deadlineMs`. */
export async function eventually<T>(what: string, probe: () => T | Promise<T>, deadlineMs = 30_000): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + deadlineMs;
  let last: unknown;
  do {
    try {
      const found = await probe();
      if (found !== null && found !== undefined && found !== false) return found as NonNullable<Exclude<T, false>>;
    } catch (error) {
      last = error;
    }
    await pause(10);
  } while (Date.now() < deadline);
  throw new Error(`Not within ${deadlineMs} ms: ${what}`, { cause: last });
}
