import { parseArgs } from "node:util";

export interface FuzzOptions {
  files: number;
  seed: number;
}

/** Throws an Error with a sentence when they make no sense. */
export function parseFuzzOptions(args: string[]): FuzzOptions {
  const { values } = parseArgs({ args, options: { files: { type: "string", default: "100" }, seed: { type: "string" } } });
  const files = Number(values.files);
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  if (!Number.isSafeInteger(files) || files < 1) throw new Error("--files must be a whole number from 1");
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error("--seed must be a whole number from 0");
  return { files, seed };
}
