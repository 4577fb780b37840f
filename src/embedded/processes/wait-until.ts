import { setTimeout as sleep } from "node:timers/promises";

/**
 * Calls `ask` until the answer is truthy and returns that answer; undefined after `deadlineMs`.
 * Throws when `signal` is aborted.
 */
export async function waitUntil<T>(
  ask: () => T | Promise<T>,
  {
    deadlineMs,
    everyMs = 10,
    signal,
  }: { deadlineMs: number; everyMs?: number; signal?: AbortSignal | undefined },
): Promise<T | undefined> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    signal?.throwIfAborted();
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() >= end) return undefined;
    await sleep(everyMs);
  }
}
