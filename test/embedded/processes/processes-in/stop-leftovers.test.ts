import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { processesIn, stopLeftovers } from "../../../../src/embedded/processes/processes-in.js";
import { eventually } from "../../../support/runner/eventually.js";
import { createScene } from "../../scene.js";

const scene = createScene();
const folder = join(scene.folder, "here");
const programs = ["sleep"];
mkdirSync(folder);
after(() => scene.clear());

async function leave(command: string): Promise<void> {
  scene.kill(spawn("sh", ["-c", command], { cwd: folder, stdio: "ignore" }));
  await eventually("it runs", () => processesIn(folder, programs).length === 1);
}

test("sends the next signal to processes that ignore the first", async () => {
  await leave("trap '' TERM; exec sleep 60");
  const steps = [
    { signal: "SIGTERM", waitMs: 50 },
    { signal: "SIGKILL", waitMs: 5_000 },
  ] as const;
  await stopLeftovers({ folder, programs, steps: [...steps], log: scene.log });
  assert.deepEqual(processesIn(folder, programs), []);
  await stopLeftovers({ folder, programs, steps: [], log: scene.log });
});

test("says in one sentence which process does not stop", async () => {
  await leave("exec sleep 60");
  const [pid] = processesIn(folder, programs);
  const steps = [{ signal: "SIGKILL", waitMs: 50, to: () => false }] as const;
  await assert.rejects(stopLeftovers({ folder, programs, steps: [...steps], log: scene.log }), {
    name: "EmbeddedError",
    message: `An earlier server in ${folder} does not stop: end process ${pid} and start again.`,
  });
});
