import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { processesIn } from "../../../src/embedded/processes/processes-in.js";
import { eventually } from "../../support/runner/eventually.js";
import { createScene } from "../scene.js";

const scene = createScene();
const cwd = join(scene.folder, "here");
mkdirSync(cwd);
const sleeper = scene.kill(spawn("sleep", ["60"], { cwd, stdio: "ignore" }));
after(() => scene.clear());

test("finds only the named programs whose working directory is the folder", async () => {
  await eventually("it runs", () => processesIn(cwd, ["sleep"]).length === 1);
  assert.deepEqual(processesIn(cwd, ["sleep"]), [sleeper.pid]);
  assert.deepEqual(processesIn(cwd, ["postgres"]), []);
  assert.deepEqual(processesIn(scene.folder, ["sleep"]), []);
});

test(
  "finds the same processes without /proc",
  { skip: spawnSync("lsof", ["-v"]).error !== undefined && "lsof is not installed" },
  () => {
    assert.deepEqual(processesIn(cwd, ["sleep"], "darwin"), [sleeper.pid]);
  },
);

test(
  "finds processes whose folder was deleted",
  { skip: process.platform !== "linux" && "the test needs /proc, which only Linux has" },
  () => {
    rmSync(cwd, { recursive: true });
    assert.deepEqual(processesIn(cwd, ["sleep"]), [sleeper.pid]);
  },
);
