import { isPassing } from "../errors.js";

const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 10_000;

export interface RepeatOptions {
  /** Milliseconds within which a call that failed for a passing reason is repeated. */
  retryForMs: number;
  signal: AbortSignal;
}

/** Repeats a call that failed for a passing reason; waits as long as the service asks for. */
export async function repeat<T>(
  call: () => Promise<T>,
  { retryForMs, signal }: RepeatOptions,
): Promise<T> {
  const deadline = Date.now() + retryForMs;
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
      const ms = error.retryAfterMs ?? backOff(failures);
      if (Date.now() + ms > deadline) throw error;
      await pause(ms, signal);
    }
  }
}

/** Grows with the number of failures; random, so that many clients do not return together. */
export function backOff(failures: number): number {
  return Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}

/** Resolves after the time, or when the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
    if (signal?.aborted) end();
  });
}
