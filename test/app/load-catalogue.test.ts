import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { loadCatalogue } from "../../src/app/load-catalogue.js";
import { PermanentTaskError, TaskFailedError } from "../../src/domain/errors.js";
import { createLoggerTo } from "../../src/runtime/logger.js";
import { catalogue } from "../../src/tasks/catalogue.js";
import type { TaskContext } from "../../src/tasks/define-task.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { long } from "../support/runner/long.js";
import { silentLog } from "../support/runner/silent-log.js";
import { writeOutsideTasks } from "../support/service/outside-tasks.js";

const ZOD = new URL("../../../node_modules/zod", import.meta.url).pathname;

describe("the catalogue", () => {
  const temporary = temporaryFolder().path;
  let folders = 0;
  const newFolder = () => join(temporary, `tasks-${++folders}`);

  /** Loads TASKS; returns the added tasks and the warnings, without the path of the folder. */
  async function load(folder: string) {
    const warnings: string[] = [];
    const write = (line: string) => {
      const { level, msg } = JSON.parse(line) as { level: number; msg: string };
      if (level >= 40) warnings.push(msg.replaceAll(`${folder}/`, ""));
    };
    const loaded = await loadCatalogue([folder], createLoggerTo({ write }));
    assert.deepEqual([...loaded.keys()].slice(0, catalogue.size), [...catalogue.keys()]);
    return { added: [...loaded.values()].slice(catalogue.size), warnings };
  }

  it("has the tasks of this repository without TASKS", async () => {
    assert.equal(await loadCatalogue([], silentLog), catalogue);
  });

  it("leaves out a task whose GraphQL types have the names of others", async () => {
    const folder = newFolder();
    writeOutsideTasks(folder, { job: {}, "sound-1": {}, sound1: {} });
    const { added, warnings } = await load(folder);
    assert.deepEqual(
      added.map(({ name }) => name),
      ["sound-1"],
    );
    assert.deepEqual(warnings, [
      "a task of TASKS is left out: job needs the GraphQL type JobResult, which exists already",
      "a task of TASKS is left out: sound1 needs the GraphQL type Sound1Parameters, which exists " +
        "already",
    ]);
  });

  it("adds the sound tasks of TASKS, and names each broken one in one warning", async () => {
    const folder = newFolder();
    writeOutsideTasks(folder, {
      sound: {},
      echo: {},
      "broken-syntax": { run: "export const run = async () => {\n  return (;\n};" },
      "broken-start": { task: 'throw new Error("no licence");' },
      exits: { run: "process.exit(3);" },
      idle: { run: "export const work = 1;" },
      missing: { run: 'import "no-such-package"; export const run = 1;' },
      named: { task: "export const other = 1;" },
      plain: {},
    });
    const { added, warnings } = await load(folder);
    assert.deepEqual(
      added.map(({ name }) => name),
      ["plain", "sound"],
    );
    assert.deepEqual(
      warnings.map((warning) => warning.replace(/^a task of TASKS is left out: /, "")),
      [
        "broken-start has a faulty task.js: Error: no licence",
        "broken-syntax has a faulty run.js: SyntaxError: Unexpected token ';'; " +
          "node --check run.js shows the line",
        "echo has the name of a task of the service: rename it",
        "exits cannot be loaded: The child process exited with code 3.",
        "idle has a faulty run.js: Error: run.js does not export a function `run`",
        "missing has a faulty run.js: Error: Cannot find package 'no-such-package' imported " +
          "from missing/run.js",
        "named exports 0 tasks in task.js: one folder has one task",
      ],
    );
  });

  it("leaves out a task that never finishes loading", long, async () => {
    const folder = newFolder();
    writeOutsideTasks(folder, {
      busy: { task: "for (;;);" },
      waiting: { run: "await new Promise(() => {}); export const run = async () => ({});" },
      sound: {},
    });
    const { added, warnings } = await load(folder);
    assert.deepEqual(
      added.map(({ name }) => name),
      ["sound"],
    );
    assert.deepEqual(
      warnings.map((warning) => /(\w+) is not loaded after 10 s/.exec(warning)?.[1]),
      ["busy", "waiting"],
    );
  });

  it("accepts another copy of zod 4, and names another major version", async () => {
    const folder = newFolder();
    writeOutsideTasks(folder, { sound: {} });
    const own = join(folder, "node_modules/zod");
    mkdirSync(own, { recursive: true });
    const main = (text: string) => {
      const manifest = { name: "zod", version: "1.0.0", type: "module", exports: "./index.js" };
      writeFileSync(join(own, "package.json"), JSON.stringify(manifest));
      writeFileSync(join(own, "index.js"), text);
    };
    main(`export * from ${JSON.stringify(join(ZOD, "index.js"))}; export const own = true;`);
    assert.deepEqual((await load(folder)).warnings, []);

    const old = newFolder();
    writeOutsideTasks(old, {
      sound: {
        task: "export const task = { name: 'sound', parameters: { _def: {} }, result: { _def: {} } };",
      },
    });
    const [warning = ""] = (await load(old)).warnings;
    assert.match(
      warning,
      /sound has a faulty task: .*`parameters` is a schema of zod 3: use zod 4/,
    );
  });

  it("recognises errors of a task by class and by name, and refuses codes and outputs", async () => {
    const folder = newFolder();
    writeOutsideTasks(folder, {
      thrower: {
        run: `
          import { PermanentTaskError, TaskFailedError } from "photo-service/tasks";
          const errors = [
            new PermanentTaskError("NO_FACE", "No face was found."),
            new PermanentTaskError("not a code", "No\\0 face."),
            Object.assign(new Error("Own copy."), { name: "PermanentTaskError", code: "OWN" }),
            new TaskFailedError("Try again."),
            Object.assign(new Error("Again."), { name: "TaskFailedError" }),
            new TypeError("a bug"),
          ];
          export const run = async ({ parameters: { times }, output }) => {
            if (times === 6) await output({ name: "a.txt", mimeType: "text/plain", data: [] });
            throw errors[times];
          };
        `,
      },
    });
    const { added, warnings } = await load(folder);
    assert.deepEqual(warnings, []);
    const work = await added[0]?.load();
    const thrown = (times: number) =>
      work?.run({ parameters: { times } } as TaskContext<unknown>).then(
        () => assert.fail("it returned"),
        (error: Error & { code?: string }) => [error.constructor, error.code, error.message],
      );
    assert.deepEqual(await Promise.all([0, 1, 2, 3, 4, 5, 6].map(thrown)), [
      [PermanentTaskError, "NO_FACE", "No face was found."],
      [PermanentTaskError, "TASK_FAILED", "No face."],
      [PermanentTaskError, "OWN", "Own copy."],
      [TaskFailedError, "TASK_FAILED", "Try again."],
      [TaskFailedError, "TASK_FAILED", "Again."],
      [TypeError, undefined, "a bug"],
      [
        Error,
        undefined,
        "The output a.txt has the type text/plain; allowed: image/jpeg, image/webp, " +
          "image/avif, image/png.",
      ],
    ]);
  });
});
