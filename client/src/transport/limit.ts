/** Runs at most `max` works at once; the others wait in order, until their signal is aborted. */
export function createLimit(max: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    while (running >= max) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        signal.addEventListener("abort", () => resolve());
      });
      signal.throwIfAborted();
    }
    running++;
    try {
      return await work();
    } finally {
      running--;
      // All of them, because the first may have been aborted.
      for (const wake of waiting.splice(0)) wake();
    }
  };
}
