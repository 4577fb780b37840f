import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";

describe("scripts/check.mjs", () => {
  let folder: string;
  /** A tool that writes its name to the file `ran`. */
  const install = (tool: string, exitCode: number) =>
    writeFileSync(
      join(folder, "node_modules/.bin", tool),
      `#!/bin/sh\necho "$(basename "$0") $*" >> ran\nexit ${exitCode}\n`,
      { mode: 0o755 },
    );
  const check = (...args: string[]) =>
    spawnSync(process.execPath, [join(folder, "scripts/check.mjs"), ...args], {
      encoding: "utf8",
    });
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "photo-service-check-"));
    mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
    mkdirSync(join(folder, "scripts"));
    cpSync("scripts/check.mjs", join(folder, "scripts/check.mjs"));
    for (const tool of ["tsc", "oxlint", "knip"]) install(tool, 0);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("runs the named steps in their order, and ends with 0 when all pass", () => {
    install("prettier", 0);
    writeFileSync(join(folder, "ran"), "");
    const { status, stdout } = check("types", "format", "lint");
    assert.equal(status, 0);
    assert.deepEqual(stdout.match(/^> \w+/gm), ["> types", "> format", "> lint"]);
    assert.deepEqual(readFileSync(join(folder, "ran"), "utf8").trimEnd().split("\n"), [
      "tsc -p src/console",
      "tsc -p client",
      "prettier --check --log-level warn .",
      "oxlint --deny-warnings",
      "knip --no-config-hints",
    ]);
  });

  it("runs chaos beside the other steps, and prints its output before the last one", () => {
    const chaos = join(folder, "dist/test/chaos/main.js");
    mkdirSync(dirname(chaos), { recursive: true });
    install("prettier", 0);
    const program = (waitsFor: string, code: number) => `
      const { appendFileSync, readFileSync } = require("node:fs");
      const timer = setInterval(() => {
        if (!readFileSync("ran", "utf8").includes("${waitsFor}")) return;
        clearInterval(timer);
        appendFileSync("ran", "chaos\\n");
        console.log("from chaos");
        process.exitCode = ${code};
      }, 10);`;
    writeFileSync(join(folder, "ran"), "");
    // It ends only after the next step has run.
    writeFileSync(chaos, program("prettier", 0));
    const { status, stdout } = check("chaos", "format", "lint");
    assert.equal(status, 0);
    assert.deepEqual(stdout.match(/^(> \w+|from chaos)/gm), [
      "> format",
      "> chaos",
      "from chaos",
      "> lint",
    ]);
    writeFileSync(join(folder, "ran"), "");
    writeFileSync(chaos, program("", 4));
    const failed = check("chaos", "format", "lint");
    assert.deepEqual([failed.status, failed.stderr], [4, "\nThe check failed at: chaos\n"]);
    assert.doesNotMatch(readFileSync(join(folder, "ran"), "utf8"), /oxlint/);
  });

  it("ends chaos when another step fails", () => {
    install("prettier", 3);
    writeFileSync(join(folder, "dist/test/chaos/main.js"), "setInterval(() => {}, 1000);");
    const { status, stderr } = check("chaos", "format", "lint");
    assert.deepEqual([status, stderr], [3, "\nThe check failed at: format\n"]);
  });

  it("stops at the first step that fails, and ends with its exit code", () => {
    install("prettier", 3);
    writeFileSync(join(folder, "ran"), "");
    const { status, stderr } = check("types", "format", "lint");
    assert.deepEqual([status, stderr], [3, "\nThe check failed at: format\n"]);
    assert.doesNotMatch(readFileSync(join(folder, "ran"), "utf8"), /oxlint/);
  });

  it("writes nothing after its last step, whose last line counts the tests", () => {
    install("prettier", 3);
    const { status, stdout, stderr } = check("format");
    assert.deepEqual([status, stderr], [3, ""]);
    assert.match(stdout, /^\n> format: .*\n$/);
    const all = readFileSync(".ci/run", "utf8");
    assert.match(all, /^npm run check -- \S.* all\n$/m, "CI runs all steps, the tests last");
    const names: string[] = check("--list").stdout.match(/^\S+/gm) ?? [];
    assert.equal(names[names.indexOf("examples-install") - 1], "tests");
  });

  it("refuses a step that it does not have", () => {
    const { status, stderr } = check("nope");
    assert.equal(status, 1);
    assert.match(stderr, /^Unknown step: nope\. Steps: types, format, lint, chaos, /);
  });
});
