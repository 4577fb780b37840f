import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";

const SCRIPT = resolve("scripts/check-subjects.mjs");

describe("scripts/check-subjects.mjs", () => {
  let folder: string;
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@b.c", ...args], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  const commit = (subject: string) => git("commit", "--allow-empty", "-m", subject);
  const check = (base: string) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, base], {
      cwd: folder,
      encoding: "utf8",
    });
    return { status, stdout, faults: stderr.split("\n").filter(Boolean) };
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "photo-service-subjects-"));
    git("init", "-b", "main");
    commit("An old subject of another style");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("accepts conventional subjects after the base, and merges of any subject", () => {
    const base = git("rev-parse", "HEAD");
    commit("fix(enqueue): reject more than 10,000 bind parameters");
    git("checkout", "-b", "side", base);
    commit("docs: explain the fence");
    git("checkout", "main");
    git("merge", "--no-ff", "-m", "Merge the side, with a subject of another style", "side");
    assert.deepEqual(check(base), {
      status: 0,
      stdout: "2 subjects checked, 0 faults.\n",
      faults: [],
    });
  });

  it("names each subject that is too long or is not conventional", () => {
    const base = git("rev-parse", "HEAD");
    commit("Mend the queue");
    commit(`fix: ${"x".repeat(68)}`);
    commit("feat(queue): pause a lane.");
    const { status, faults } = check(base);
    assert.equal(status, 1);
    assert.deepEqual(
      faults.map((fault) => fault.replace(/^\w+ /, "")),
      [
        'is not conventional, e.g. "fix(queue): …": feat(queue): pause a lane.',
        `has 73 characters: fix: ${"x".repeat(68)}`,
        'is not conventional, e.g. "fix(queue): …": Mend the queue',
      ],
    );
  });

  it("checks nothing when the base is not in this repository", () => {
    const base = "0".repeat(40);
    assert.deepEqual(check(base), {
      status: 0,
      stdout: `There is no commit ${base} here: no subject was checked.\n`,
      faults: [],
    });
  });
});
