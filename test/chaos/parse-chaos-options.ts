import { parseArgs } from "node:util";

export interface ChaosOptions {
  minutes: number;
  seed: number;
  /** Only faults whose name holds this. */
  only: string;
}

/** Throws an Error with a sentence when they make no sense. */
export function parseChaosOptions(args: string[]): ChaosOptions {
  const { values } = parseArgs({ args, options: { minutes: { type: "string", default: "1" }, seed: { type: "string" }, only: { type: "string", default: "" } } });
  const minutes = Number(values.minutes);
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  if (!(minutes > 0 && minutes <= 24 * 60)) throw new Error("--minutes must be a number above 0, 1440 at most");
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error("--seed must be a whole number from 0");
  return { minutes, seed, only: values.only };
}
