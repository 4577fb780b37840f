// `node dist/test/mutants/main.js`: changes a copy of the sources, one place at a time, and runs
// the tests that must detect it.
import { availableParallelism } from "node:os";
import { readCommandLine } from "../../src/runtime/command-line.js";
import { readSeed } from "../support/runner/read-seed.js";
import { createDraw } from "./draw.js";
import { mutate, readAreas, testFilesOf, type AreaMutant } from "./read-areas.js";
import { runDrawn } from "./run-drawn.js";
import { runListed } from "./run-listed.js";
import { withLanes } from "./stage.js";

const options = readCommandLine(
  {
    name: "node dist/test/mutants/main.js",
    about:
      "Remove guards from a copy of the sources, one at a time, and print the test that " +
      "detects each. The default is the core, which protects the main promises; --random " +
      "makes random changes anywhere in src/ instead. LONG=1 also runs the long tests. Exits " +
      "with 1 if a listed guard is not detected.",
    options: {
      area: {
        type: "string",
        value: "<name>",
        about: "Guards of this area: a file of test/mutants/areas/.",
      },
      only: {
        type: "string",
        value: "<regexp>",
        default: "",
        about: "Guards whose description matches.",
      },
      all: { type: "boolean", about: "All guards; this takes long." },
      random: { type: "string", value: "<number>", about: "Number of random changes instead." },
      seed: {
        type: "string",
        value: "<number>",
        about: "Repeats the changes of an earlier run with --random.",
      },
      "at-once": {
        type: "string",
        value: "<number>",
        default: String(availableParallelism()),
        about: "Number of copies to work on at once.",
      },
    },
    examples: ["--area feed", "--random 60 --seed 1"],
  },
  ({ random, seed, "at-once": atOnce, ...choice }) => ({
    ...choice,
    lanes: wholeNumber("at-once", atOnce),
    drawn:
      random === undefined ? null : { count: wholeNumber("random", random), seed: readSeed(seed) },
  }),
);
const say = (line: string) => void process.stdout.write(`${line}\n`);

process.exitCode = 1;
if (options.drawn) {
  const mutations = createDraw()(options.drawn.count, options.drawn.seed);
  say(`${mutations.length} changes, seed ${options.drawn.seed}`);
  await withLanes(options.lanes, (lanes) => runDrawn(lanes, mutations, say));
  process.exitCode = 0;
} else {
  const mutants = (await readAreas()).filter(isWanted);
  if (mutants.length === 0) throw new Error("There is no such mutant");
  // All mutants are checked before any test runs.
  for (const mutant of mutants) {
    mutate(mutant);
    testFilesOf(mutant);
  }
  await withLanes(options.lanes, async (lanes) => {
    if (await runListed(lanes, mutants)) process.exitCode = 0;
  });
}

/** By default only the core mutants are selected. */
function isWanted({ core, area, breaks }: AreaMutant): boolean {
  if (!options.all && options.area === undefined && options.only === "") return core === true;
  return (options.area ?? area) === area && new RegExp(options.only).test(breaks);
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Error(`--${name} must be a whole number from 1`);
  return number;
}
