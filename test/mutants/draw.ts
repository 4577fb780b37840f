import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NO_BROWSER } from "../support/clients/chromium.js";
import { seededRandom } from "../support/runner/seeded-random.js";
import {
  applyMutation,
  findMutations,
  OPERATORS,
  type Mutation,
  type Operator,
} from "./find-mutations.js";

/**
 * Relative frequency of each operator: decisions and actions matter more than numbers and names.
 */
const WEIGHTS: Record<Operator, number> = {
  negate: 4,
  drop: 4,
  swap: 2,
  boundary: 2,
  return: 3,
  await: 2,
  empty: 1,
  constant: 1,
};

/** Draws `count` different mutations of src. The same sources and seed give the same mutations. */
export function createDraw(): (count: number, seed: number) => Mutation[] {
  const all = sourceFiles().flatMap((file) => findMutations(file, readFileSync(file, "utf8")));
  const lots = OPERATORS.flatMap((operator) =>
    Array.from({ length: WEIGHTS[operator] }, () => operator),
  );
  return (count, seed) => {
    const random = seededRandom(seed);
    const shuffle = (operator: Operator) =>
      random.shuffled(all.filter((one) => one.operator === operator));
    const waiting = new Map(OPERATORS.map((operator) => [operator, shuffle(operator)]));
    const drawn: Mutation[] = [];
    while (drawn.length < count && [...waiting.values()].some((list) => list.length > 0)) {
      const mutation = waiting.get(random.pick(lots))?.pop();
      if (mutation && canBeParsed(mutation)) drawn.push(mutation);
    }
    return drawn;
  };
}

/** Files of the page need a browser, and its views are markup. */
function sourceFiles(): string[] {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).map((path) =>
    join("src", path),
  );
  const isLeftOut = (file: string) =>
    file.startsWith("src/console/") && (NO_BROWSER !== false || file.includes("/views/"));
  return files
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith(".d.ts") && !isLeftOut(file))
    .toSorted();
}

function canBeParsed(mutation: Mutation): boolean {
  try {
    applyMutation(mutation, readFileSync(mutation.file, "utf8"));
    return true;
  } catch {
    return false;
  }
}
