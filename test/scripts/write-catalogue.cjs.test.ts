import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, describe, it } from "node:test";

const { renderCatalogue } = createRequire(resolve("package.json"))(
  "./scripts/write-catalogue.cjs",
) as { renderCatalogue(folder: string): string };

describe("scripts/write-catalogue.cjs", () => {
  const folder = mkdtempSync(join(tmpdir(), "photo-service-catalogue-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Writes empty files into the folder of a task. */
  function write(name: string, files: string[]): void {
    mkdirSync(join(folder, name), { recursive: true });
    for (const file of files) writeFileSync(join(folder, name, file), "");
  }

  it("has written the catalogue that is committed", () => {
    assert.equal(readFileSync("src/tasks/catalogue.ts", "utf8"), renderCatalogue("src/tasks"));
  });

  it("finds each folder with task.ts and run.ts, sorted, and nothing else", () => {
    for (const name of ["two-words", "alone"]) write(name, ["task.ts", "run.ts"]);
    write("outside", ["helper.ts"]);
    writeFileSync(join(folder, "define-task.ts"), "");
    const text = renderCatalogue(folder);
    assert.deepEqual(text.match(/^import \{.*$/gm), [
      'import { alone } from "./alone/task.js";',
      'import { twoWords } from "./two-words/task.js";',
    ]);
    assert.match(text, /const tasks = \[\n {2}alone,\n {2}twoWords,\n\]/);
  });

  it("refuses a folder that lacks one of the files, or has another kind of name", () => {
    write("half", ["run.ts"]);
    assert.throws(() => renderCatalogue(folder), /^Error: src\/tasks\/half needs both/);
    write("half", ["task.ts"]);
    write("camelCase", ["task.ts", "run.ts"]);
    assert.throws(() => renderCatalogue(folder), /^Error: src\/tasks\/camelCase is not a name/);
  });
});
