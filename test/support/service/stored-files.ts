import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Relative paths of all files below a folder. */
export function storedFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
