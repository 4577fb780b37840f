import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
    const names: string[] = check("--list").stdout.match(/^\S+/gm) ?? [];
    assert.equal(names[names.indexOf("react-install") - 1], "tests");
  });

  it("refuses a step that it does not have", () => {
    const { status, stderr } = check("nope");
    assert.equal(status, 1);
    assert.match(stderr, /^Unknown step: nope\. Steps: types, format, lint, chaos, /);
  });
});
