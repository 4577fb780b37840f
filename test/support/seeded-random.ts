export interface SeededRandom {
  seed: number;
  /** A whole number from 0, below `limit`. */
  below(limit: number): number;
}

/** Chance that can be had again: the same numbers for the same seed (mulberry32). Print the seed where it matters. */
export function seededRandom(seed = Date.now() % 1_000_000): SeededRandom {
  let state = seed;
  return {
    seed,
    below(limit) {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
    },
  };
}
