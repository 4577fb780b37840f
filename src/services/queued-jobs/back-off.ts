const FIRST_MS = 1000;
const LONGEST_MS = 5 * 60_000;

/**
 * The pause after the failure number `failures` + 1: doubling from a second, with half of it left
 * to chance so that many do not return at once.
 */
export function backOffMs(failures: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
  return Math.round(full / 2 + (full / 2) * random());
}
