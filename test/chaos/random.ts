/** Chance from a seed. The same seed gives the same choices, though not the same interleaving of those who make them. */
export interface Random {
  /** From 0 up to 1. */
  next(): number;
  /** Both ends included. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  shuffled<T>(list: readonly T[]): T[];
  /** Chance of its own for another part of the program, so that how often one asks does not move the other. */
  branch(): Random;
}

/** mulberry32, by Tommy Ettinger, public domain. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new Error("There is nothing to pick from");
      return list[int(0, list.length - 1)] as T;
    },
    shuffled<T>(list: readonly T[]): T[] {
      return list.map((item) => ({ item, order: next() })).toSorted((a, b) => a.order - b.order).map(({ item }) => item);
    },
    branch: () => createRandom(int(0, 2 ** 32 - 1)),
  };
}
