/** Parses the seed; picks one if it is undefined. Throws unless it is a whole number from 0. */
export function readSeed(text: string | undefined): number {
  const seed = text === undefined ? Date.now() % 1_000_000 : Number(text);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new Error("--seed must be a whole number from 0");
  return seed;
}
