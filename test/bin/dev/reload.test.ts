// `npm run dev` under a real npm, in a copy of this repository: changes of sources take effect.
import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
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
import { createTestClient } from "../../support/clients/test-client.js";

describe("npm run dev", { skip: NO_PROC || long.skip }, () => {
  let project: ReturnType<typeof copyProject>;
  before(() => {
    project = copyProject();
  });
  after(async () => {
    await endAllBelow(project.path);
    project.remove();
  });

  it("serves changes made during and after its start, with the catalogue and without warnings", async () => {
    const run = runNpm("dev", { cwd: project.path });
    edit("src/app/read-config.ts", "manifest.version;", 'manifest.version + "-edited";');
    const { url, token } = await run.ready();
    edit("src/tasks/echo/task.ts", 'title: "Echo"', 'title: "Echo, edited"');
    const client = createTestClient(url, token ?? "");
    await eventually(
      "both edits are served",
      async () => {
        const { service, job } = await client.get(
          '{ service { version } job(name: "echo") { title } }',
        );
        return service.version.endsWith("-edited") && job.title === "Echo, edited";
      },
      180_000,
    );
    copyEcho("echo-again", "echoAgain");
    await eventually(
      "the new task is offered",
      async () => (await client.get('{ job(name: "echo-again") { enabled } }')).job?.enabled,
      180_000,
    );
    assert.match(run.output, /^Source changed: restarting the API and the worker\.$/m);
    assert.doesNotMatch(run.output, /ended by itself|catalogue could not/);

    pressCtrlC(run);
    await endedBelow(project.path, run);
    assert.doesNotMatch(run.output, /second SIG|did not close|giving up|"level":[456]0/);
  });

  /** Adds a task: its folder is enough. */
  function copyEcho(name: string, constant: string): void {
    const folder = join(project.path, "src/tasks");
    cpSync(join(folder, "echo"), join(folder, name), { recursive: true });
    edit(`src/tasks/${name}/task.ts`, 'name: "echo"', `name: "${name}"`);
    edit(`src/tasks/${name}/task.ts`, "const echo =", `const ${constant} =`);
  }

  function edit(path: string, from: string, to: string): void {
    const file = join(project.path, path);
    const text = readFileSync(file, "utf8");
    assert.ok(text.includes(from), `${path} is without ${from}`);
    writeFileSync(file, text.replace(from, to));
  }
});
