export interface Slots {
  /** Resolves when a slot is free, in the order of the calls. */
  take(): Promise<void>;
  free(): void;
}

/** Limits concurrency across several queues. */
export function createSlots(size: number): Slots {
  const waiting: (() => void)[] = [];
  let taken = 0;
  return {
    take() {
      if (taken < size) {
        taken++;
        return Promise.resolve();
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    free() {
      const next = waiting.shift();
      if (next) next();
      else taken--;
    },
  };
}

/**
 * Runs `work` on each item in batches of `batchSize`. The results are in the order of the items.
 * The first error ends it.
 */
export async function inBatches<Item, Result>(
  items: readonly Item[],
  batchSize: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let i = 0; i < items.length; i += batchSize)
    results.push(...(await Promise.all(items.slice(i, i + batchSize).map(work))));
  return results;
}
