import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { processStart } from "../../../src/embedded/take-lock.js";
import { eventually } from "../../support/runner/eventually.js";
import { createScene } from "../scene.js";

const scene = createScene();
after(() => scene.clear());

test("the start of a process is always the same", () => {
  assert.ok(processStart(process.pid));
  assert.equal(processStart(process.pid), processStart(process.pid));
});

test("a process that does not exist, and a zombie, have no start", async () => {
  assert.equal(processStart(999_999_999), undefined);
  assert.equal(processStart(Number.NaN), undefined);
  const shell = scene.kill(
    spawn("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "inherit"],
    }),
  );
  const [zombie] = (await once(createInterface(shell.stdout!), "line")) as [string];
  await eventually("it is a zombie", () => processStart(Number(zombie)) === undefined);
});
