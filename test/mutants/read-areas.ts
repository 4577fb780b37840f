import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findCode } from "./find-code.js";
import type { Mutant } from "./mutant.js";

const FOLDER = fileURLToPath(new URL("areas/", import.meta.url));

/** A mutant with its area. */
export type AreaMutant = Mutant & { area: string };

/** Reads every table of `areas/`: each file there exports its `MUTANTS`. */
export async function readAreas(): Promise<AreaMutant[]> {
  const files = readdirSync(FOLDER)
    .filter((name) => name.endsWith(".js"))
    .toSorted();
  const areas = await Promise.all(
    files.map(async (name) => {
      const { MUTANTS } = (await import(new URL(`areas/${name}`, import.meta.url).href)) as {
        MUTANTS: Mutant[];
      };
      return MUTANTS.map((mutant) => ({ ...mutant, area: name.slice(0, -3) }));
    }),
  );
  return areas.flat();
}

/** Returns the source without the guard. Throws an Error unless its text occurs exactly once. */
export function mutate({ file, find, replace, breaks }: Mutant): string {
  const source = readFileSync(file, "utf8");
  const [span, ...others] = findCode(source, find);
  if (!span || others.length > 0) {
    const times = span ? others.length + 1 : 0;
    throw new Error(`${breaks}: its text occurs ${times} times in ${file}: ${find}`);
  }
  return source.slice(0, span.start) + replace + source.slice(span.end);
}

const allTests = readdirSync("test", { recursive: true, encoding: "utf8" }).filter((path) =>
  path.endsWith(".test.ts"),
);

/** Returns the compiled test files of a mutant. Throws an Error if a part matches none. */
export function testFilesOf({ tests, breaks }: Mutant): string[] {
  return tests.flatMap((part) => {
    const matches = allTests.filter((path) => path.includes(part));
    if (matches.length === 0) throw new Error(`${breaks}: no test file is named ${part}`);
    return matches.map((path) => `dist/test/${path.replace(/\.ts$/, ".js")}`);
  });
}
