import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mutate, readAreas, testFilesOf } from "../mutants/read-areas.js";

describe("the guards that npm run mutants takes out", () => {
  it("stand where their tables say, and each has tests that must notice", async () => {
    const mutants = await readAreas();
    assert.ok(mutants.length > 100, `only ${mutants.length} were found`);
    // Whoever changes a guard changes its line in test/mutants/areas/, too.
    for (const mutant of mutants) {
      assert.notEqual(mutate(mutant), "");
      assert.ok(testFilesOf(mutant).length > 0, mutant.breaks);
    }
    assert.deepEqual(mutants.map(({ area, breaks }) => `${area}: ${breaks}`).filter((name, i, all) => all.indexOf(name) !== i), []);
  });
});
