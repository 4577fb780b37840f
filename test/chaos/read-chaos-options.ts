import { readCommandLine } from "../../src/command-line.js";
import { readSeed } from "../support/read-seed.js";

export interface ChaosOptions {
  minutes: number;
  seed: number;
  /** Only faults whose name holds this. */
  only: string;
}

export function readChaosOptions(): ChaosOptions {
  return readCommandLine(
    {
      name: "npm run chaos",
      about: "Put the service under load on private stores, inject faults, and print what was lost, repeated or out of order.",
      options: {
        minutes: { type: "string", value: "<number>", default: "1", about: "Length of the run, above 0." },
        seed: { type: "string", value: "<number>", about: "Repeats the faults of an earlier run." },
        only: { type: "string", value: "<words>", default: "", about: "Only faults whose name holds this." },
      },
      examples: ["--minutes 5 --seed 42"],
    },
    ({ minutes: text, seed, only }) => {
      const minutes = Number(text);
      if (!(minutes > 0 && minutes <= 24 * 60)) throw new Error("--minutes must be a number above 0, 1440 at most");
      return { minutes, seed: readSeed(seed), only };
    },
  );
}
