import { readdirSync } from "node:fs";
import { join } from "node:path";

/** The files below a folder, by their paths in it. */
export function storedFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
