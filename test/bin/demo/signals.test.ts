// `npm run demo` under a real npm, in a copy of this repository: no process is left after a signal.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { eventually } from "../../support/runner/eventually.js";
import { long } from "../../support/runner/long.js";
import {
  copyProject,
  endAllBelow,
  endedBelow,
  NO_PROC,
  pressCtrlC,
  runNpm,
} from "../../support/processes/npm-run.js";
import { processTree } from "../../support/processes/process-tree.js";

describe("npm run demo that has started the service", { skip: NO_PROC || long.skip }, () => {
  let project: ReturnType<typeof copyProject>;
  before(() => {
    project = copyProject();
  });
  afterEach(() => endAllBelow(project.path));
  after(() => project.remove());

  async function start() {
    const run = runNpm("demo", { cwd: project.path });
    const postmaster = join(project.path, ".data/postgres/data/postmaster.pid");
    await eventually("its service is being started", () => existsSync(postmaster));
    return run;
  }

  it("stops the service when only npm gets SIGTERM", async () => {
    const run = await start();
    run.npm.kill("SIGTERM");
    await endedBelow(project.path, run);
  });

  it("stops the service on one Ctrl-C", async () => {
    const run = await start();
    pressCtrlC(run);
    await endedBelow(project.path, run);
  });

  it("stops the service when the demo is killed", async () => {
    const run = await start();
    const [, demo = 0] = processTree(run.npm.pid ?? 0);
    process.kill(demo, "SIGKILL");
    await endedBelow(project.path, run);
  });
});
