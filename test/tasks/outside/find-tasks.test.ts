import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { findTasks } from "../../../src/tasks/outside/find-tasks.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";

describe("the folders of TASKS", () => {
  const cwd = temporaryFolder().path;
  for (const file of [
    "more/b/task.js",
    "more/b/run.js",
    "more/a/task.js",
    "more/a/run.js",
    "more/library/helper.js",
    "more/node_modules/zod/run.js",
    "more/.hidden/task.js",
    "broken/no-run/task.js",
    "broken/typed/task.ts",
    "broken/typed/run.js",
    "node_modules/@some/tasks/c/task.js",
    "node_modules/@some/tasks/c/run.js",
    "empty/file.txt",
  ]) {
    mkdirSync(dirname(join(cwd, file)), { recursive: true });
    writeFileSync(join(cwd, file), "");
  }
  const at = (path: string) => join(cwd, path);

  it("are found in a folder and in a package, once, in the order of their names", () => {
    assert.deepEqual(findTasks(["more", at("more"), "@some/tasks"], cwd), {
      folders: [at("more/a"), at("more/b"), at("node_modules/@some/tasks/c")],
      faults: [],
    });
  });

  it("are named with the cure when something is missing", () => {
    const { folders, faults } = findTasks(["broken", "empty", "more/a", "nowhere"], cwd);
    assert.deepEqual(folders, []);
    assert.deepEqual(faults, [
      { folder: at("broken/no-run"), fault: "has no run.js" },
      {
        folder: at("broken/typed"),
        fault: "has task.ts, but no task.js: compile it, and name the folder of the compiled files",
      },
      { folder: at("empty"), fault: "has no task: a task is a folder with task.js and run.js" },
      {
        folder: at("more/a"),
        fault: `is itself a task: TASKS names the folder around it, ${at("more")}`,
      },
      {
        folder: "nowhere",
        fault: `is neither a folder nor a package in ${at("node_modules")}`,
      },
    ]);
  });
});
