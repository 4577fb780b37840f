import { readCommandLine } from "../../src/runtime/command-line.js";
import { readSeed } from "../support/runner/read-seed.js";

export interface FuzzOptions {
  files: number;
  seed: number;
}

export function readFuzzOptions(): FuzzOptions {
  return readCommandLine(
    {
      name: "node dist/test/fuzz/main.js",
      about:
        "Run every Job, of TASKS too, on damaged copies of photos, and print how many were read, were " +
        "refused, or crashed a child process.",
      options: {
        files: {
          type: "string",
          value: "<number>",
          default: "100",
          about: "Damaged files to try.",
        },
        seed: { type: "string", value: "<number>", about: "Repeats the damage of an earlier run." },
      },
      examples: ["--files 60 --seed 2"],
    },
    ({ files: text, seed }) => {
      const files = Number(text);
      if (!Number.isSafeInteger(files) || files < 1)
        throw new Error("--files must be a whole number from 1");
      return { files, seed: readSeed(seed) };
    },
  );
}
