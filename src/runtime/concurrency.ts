export interface Slots {
  /** Resolves, first come first served, when one is free. */
  take(): Promise<void>;
  free(): void;
}

/** Bounds how many run at once over several queues. */
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
 * `work` on each item, `atOnce` at a time; the results are in the order of the items. The first
 * fault ends it.
 */
export async function inBatches<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let i = 0; i < items.length; i += atOnce)
    results.push(...(await Promise.all(items.slice(i, i + atOnce).map(work))));
  return results;
}
