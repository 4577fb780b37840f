/**
 * Random choices from a seed. The same seed gives the same choices, but concurrent work may still
 * interleave differently.
 */
export interface SeededRandom {
  seed: number;
  /** From 0, below 1. */
  next(): number;
  /** A whole number from 0, below `limit`. */
  below(limit: number): number;
  /** A whole number, both ends included. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  shuffled<T>(list: readonly T[]): T[];
  /** A separate sequence for another part of the program; the two do not affect each other. */
  branch(): SeededRandom;
}

/** mulberry32, by Tommy Ettinger, public domain. Print the seed to reproduce a failure. */
export function seededRandom(seed = Date.now() % 1_000_000): SeededRandom {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const below = (limit: number) => Math.floor(next() * limit);
  const int = (min: number, max: number) => min + below(max - min + 1);
  return {
    seed,
    next,
    below,
    int,
    chance: (probability) => next() < probability,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new Error("The list to pick from is empty");
      return list[below(list.length)] as T;
    },
    shuffled<T>(list: readonly T[]): T[] {
      return list
        .map((item) => ({ item, order: next() }))
        .toSorted((a, b) => a.order - b.order)
        .map(({ item }) => item);
    },
    branch: () => seededRandom(int(0, 2 ** 32 - 1)),
  };
}
