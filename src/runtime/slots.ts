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
