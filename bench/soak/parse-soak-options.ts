import { parseArgs } from "node:util";

/** Throws an Error with a sentence when they make no sense. */
export function parseSoakOptions(args: string[]): { minutes: number } {
  const { values } = parseArgs({ args, options: { minutes: { type: "string", default: "30" } } });
  const minutes = Number(values.minutes);
  if (!(minutes >= 1 && minutes <= 24 * 60)) throw new Error("--minutes must be a number from 1 to 1440");
  return { minutes };
}
