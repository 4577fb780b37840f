import { fileURLToPath } from "node:url";

/** The bundle of a program of `src/bin/`, which production runs. */
export function programFile(name: string): string {
  return fileURLToPath(new URL(`../../../bin/${name}.js`, import.meta.url));
}
