import { cpSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Copies the migrations before the given one into the folder, and returns the folder. */
export function earlierMigrations(folder: string, before: string): string {
  // The folder may be a link; copy its target.
  cpSync(realpathSync("drizzle"), folder, { recursive: true });
  const path = join(folder, "meta/_journal.json");
  const journal = JSON.parse(readFileSync(path, "utf8")) as { entries: { tag: string }[] };
  writeFileSync(
    path,
    JSON.stringify({ ...journal, entries: journal.entries.filter(({ tag }) => tag < before) }),
  );
  return folder;
}
