// `npm start` under a real npm, in a copy of this repository: no process is left after a signal.
import assert from "node:assert/strict";
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
  processesBelow,
  runNpm,
} from "../../support/processes/npm-run.js";

describe("npm start", { skip: NO_PROC }, () => {
  let project: ReturnType<typeof copyProject>;
  before(() => {
    project = copyProject();
  });
  afterEach(() => endAllBelow(project.path));
  after(() => project.remove());

  const start = () => runNpm("start", { cwd: project.path });

  it("stops the whole service when only npm gets SIGTERM", async () => {
    const run = start();
    await run.ready();
    assert.ok(processesBelow(project.path).length > 4);
    run.npm.kill("SIGTERM");
    await endedBelow(project.path, run);
    assert.equal(existsSync(join(project.path, ".data/service.json")), false);
  });

  it(
    "leaves no process behind on Ctrl-C, which both the terminal and npm signal",
    long,
    async () => {
      for (const when of ["ready", "starting", "ready", "starting"] as const) await tryCtrlC(when);
    },
  );

  async function tryCtrlC(when: "ready" | "starting"): Promise<void> {
    const run = start();
    const postmaster = join(project.path, ".data/postgres/data/postmaster.pid");
    if (when === "ready") await run.ready();
    else await eventually("PostgreSQL is being started", () => existsSync(postmaster));
    pressCtrlC(run);
    await endedBelow(project.path, run);
    assert.doesNotMatch(run.output, /second SIG|did not close|giving up/);
  }
});
