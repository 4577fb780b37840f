// `npm run dev` under a real npm, in a copy of this repository: no process is left after a signal.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { long } from "../../support/runner/long.js";
import {
  copyProject,
  endAllBelow,
  endedBelow,
  NO_PROC,
  pressCtrlC,
  processesBelow,
  runNpm,
} from "../../support/processes/npm-run.js";
import { parentOf } from "../../support/processes/process-tree.js";

describe("npm run dev", { skip: NO_PROC || long.skip }, () => {
  let project: ReturnType<typeof copyProject>;
  before(() => {
    project = copyProject();
  });
  afterEach(() => endAllBelow(project.path));
  after(() => project.remove());

  const start = () => runNpm("dev", { cwd: project.path });

  it("leaves no process behind on Ctrl-C, which both the terminal and npm signal", async () => {
    for (let i = 0; i < 3; i++) await tryCtrlC();
  });

  it("leaves no process behind when it is killed", async () => {
    const run = start();
    const { pid } = await run.ready();
    const all = processesBelow(project.path);
    const dev = parentOf(pid);
    assert.ok(all.includes(dev), `${dev} is not one of ${all.join(", ")}`);
    process.kill(dev, "SIGKILL");
    await endedBelow(project.path, run);
  });

  async function tryCtrlC(): Promise<void> {
    const run = start();
    await run.ready();
    pressCtrlC(run);
    await endedBelow(project.path, run);
    assert.doesNotMatch(run.output, /second SIG|did not close|giving up/);
  }
});
