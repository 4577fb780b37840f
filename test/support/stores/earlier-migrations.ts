import { cpSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Puts the migrations before this one (by the number in front of its name) into the folder, which
 * is returned.
 */
export function earlierMigrations(folder: string, before: string): string {
  // Itself, where it is a link.
  cpSync(realpathSync("drizzle"), folder, { recursive: true });
  const path = join(folder, "meta/_journal.json");
  const journal = JSON.parse(readFileSync(path, "utf8")) as { entries: { tag: string }[] };
  writeFileSync(
    path,
    JSON.stringify({ ...journal, entries: journal.entries.filter(({ tag }) => tag < before) }),
  );
  return folder;
}
