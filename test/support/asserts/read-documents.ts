// What the tests of the documents read.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** Every Markdown document of the repository, also one that is not committed yet. */
export const DOCUMENTS = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
  { encoding: "utf8" },
)
  .split("\n")
  .filter((path) => path !== "" && existsSync(path));

/** Without blocks of code, whose brackets and # are not Markdown. */
export function proseOf(document: string): string {
  return readFileSync(document, "utf8").replace(/^```[^\n]*\n[\s\S]*?^```$/gm, "");
}

/** The anchors that GitHub makes of the headings of a document. */
export function anchorsOf(document: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of proseOf(document).matchAll(/^#{1,6} (.+)$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = text.replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
    let unique = anchor;
    for (let i = 1; anchors.has(unique); i++) unique = `${anchor}-${i}`;
    anchors.add(unique);
  }
  return anchors;
}
