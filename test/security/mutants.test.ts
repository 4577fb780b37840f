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

  it("have a core of about thirty, of each area on which the promises rest", async () => {
    const areas = (await readAreas()).filter(({ core }) => core).map(({ area }) => area);
    assert.ok(areas.length >= 28 && areas.length <= 40, `there are ${areas.length}`);
    assert.deepEqual([...new Set(areas)], ["feed", "tenancy", "tokens", "waist"]);
    for (const area of new Set(areas)) assert.ok(areas.filter((one) => one === area).length >= 5, area);
  });
});
