import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createDraw } from "../mutants/draw.js";
import { findCode } from "../mutants/find-code.js";
import { applyMutation, findMutations } from "../mutants/find-mutations.js";
import { createNearestTests } from "../mutants/nearest-tests.js";
import { long } from "../support/runner/long.js";
import { mutate, readAreas, testFilesOf } from "../mutants/read-areas.js";

describe("the guards that node dist/test/mutants/main.js removes", () => {
  it("exist in the sources exactly once, and each has tests that must fail", async () => {
    const mutants = await readAreas();
    assert.ok(mutants.length > 100, `only ${mutants.length} mutants exist`);
    // After a change of a guard, change its entry in test/mutants/areas/ as well.
    for (const mutant of mutants) {
      assert.notEqual(mutate(mutant), "");
      assert.ok(testFilesOf(mutant).length > 0, mutant.breaks);
    }
    assert.deepEqual(
      mutants
        .map(({ area, breaks }) => `${area}: ${breaks}`)
        .filter((name, i, all) => all.indexOf(name) !== i),
      [],
    );
  });

  it("have a core of about forty, from each critical area", async () => {
    const areas = (await readAreas()).filter(({ core }) => core).map(({ area }) => area);
    assert.ok(areas.length >= 28 && areas.length <= 50, `the core has ${areas.length} mutants`);
    assert.deepEqual([...new Set(areas)], ["accounts", "feed", "queued-jobs", "tenancy", "worker"]);
    for (const area of new Set(areas))
      assert.ok(areas.filter((one) => one === area).length >= 5, area);
  });
});

describe("the code of a mutant", () => {
  it("is found in any layout, with its offsets", () => {
    const source = "act();\nsave(\n  first,\n  [1, 2],\n);\nact();\n";
    const [span, ...others] = findCode(source, "save(first, [ 1,2 ])");
    assert.deepEqual(others, []);
    assert.equal(source.slice(span?.start, span?.end), "save(\n  first,\n  [1, 2],\n)");
    assert.deepEqual(
      findCode(source, "act();").map(({ start }) => start),
      [0, 35],
    );
    assert.deepEqual(findCode(source, "save(first)"), []);
  });
});

const SOURCE = `import { a } from "./a.js";
/** A comment: if (x) y(); */
interface Shape { size: 1 | 2; name: "round" }
@ObjectType({ description: "word" }) class Kept {}
export async function act(list: string[], log: Logger): Promise<number | null> {
  const limit = 3 as const;
  if (list.length < limit && a) {
    log.warn({ id: 1 }, "word");
    await a.close("word", "two words");
    list.push(\`\${limit}\`);
  }
  return list.length === 0 ? 1000 : limit;
}
`;

describe("the changes that test/mutants --random makes", () => {
  const changed = findMutations("src/x.ts", SOURCE).map(
    ({ line, operator, before, after }) => `${line} ${operator}: ${before} → ${after}`,
  );

  it("affect conditions and actions, but no types, imports, documentation or logging", () => {
    assert.deepEqual(changed, [
      "6 return:  → return; ",
      "6 constant: 3 → 4",
      "6 constant: 3 → (2)",
      "7 negate: list.length < limit && a → !(list.length < limit && a)",
      "7 swap: list.length < limit && a → ((list.length < limit) || (a))",
      "7 boundary: list.length < limit → list.length <= limit",
      '9 drop: await a.close("word", "two words"); → ;',
      '9 await: await a.close("word", "two words") → (a.close("word", "two words"))',
      '9 empty: "word" → ""',
      "10 drop: list.push(`${limit}`); → ;",
      "12 return: return list.length === 0 ? 1000 : limit; → return null;",
      "12 negate: list.length === 0 → !(list.length === 0)",
      "12 boundary: list.length === 0 → list.length !== 0",
      "12 constant: 0 → 1",
      "12 constant: 0 → (-1)",
    ]);
  });

  it("can be applied one by one", () => {
    for (const mutation of findMutations("src/x.ts", SOURCE))
      assert.notEqual(applyMutation(mutation, SOURCE), SOURCE);
  });

  it("depend only on the seed, and contain no duplicates", long, () => {
    const draw = createDraw();
    const of = (seed: number) =>
      draw(50, seed).map(({ file, start, after }) => `${file} ${start} ${after}`);
    assert.deepEqual(of(1), of(1));
    assert.notDeepEqual(of(1), of(2));
    assert.equal(new Set(of(1)).size, 50);
  });

  it(
    "run the tests at the file's path first, then tests with the same words, then the nearest",
    long,
    () => {
      const nearest = createNearestTests();
      const pathsOf = (file: string, before = "") =>
        nearest({ file, before }, Infinity).map(({ path }) => path);
      const [first = "", ...rest] = pathsOf("src/events/ring.ts");
      assert.equal(first, "test/events/ring.test.ts");
      assert.ok(
        rest.indexOf("test/events/channel.test.ts") < rest.indexOf("test/stories/resume.test.ts"),
        rest.slice(0, 9).join(", "),
      );
      const named = pathsOf("src/server/http-server.ts", "await registerMetrics(app)").slice(1, 5);
      assert.ok(
        named.includes("test/server/health/health/metrics-route-counts.test.ts"),
        named.join(", "),
      );
      assert.equal(pathsOf("src/bin/token.ts")[0], "test/bin/token.test.ts");
      assert.equal(nearest({ file: "src/tasks/hash/run.ts", before: "" }, 1).length, 3);
    },
  );
});
