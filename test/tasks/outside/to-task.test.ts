import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import type { Task } from "../../../src/tasks/define-task.js";
import { toTask } from "../../../src/tasks/outside/to-task.js";

const GOOD = {
  name: "some-task",
  title: "Some task",
  description: "Does something.",
  parameters: z.strictObject({ level: z.int().min(1).default(3) }),
  result: z.object({ done: z.boolean() }),
  minPhotos: 1,
  maxPhotos: 2,
  maxAttempts: 3,
  timeoutMs: 1000,
  runsIn: "child",
};
const check = (exports: object, folder = "/tasks/some-task"): Task =>
  toTask(exports, folder, { maxPhotos: 100 });

describe("a task outside this repository", () => {
  it("keeps what it declares, and gets its folder", () => {
    const { load, ...task } = check({ someTask: GOOD, default: GOOD, helper: () => {} });
    assert.deepEqual(task, { ...GOOD, folder: "/tasks/some-task" });
    assert.equal(typeof load, "function");
  });

  it("is the only one of its folder, under its name", () => {
    for (const exports of [{}, { helper: 1 }, { one: GOOD, two: { ...GOOD } }])
      assert.throws(
        () => check(exports),
        /^Error: exports \d tasks in task.js: one folder has one/,
      );
    assert.throws(
      () => check({ someTask: GOOD }, "/tasks/other"),
      /^Error: has the task "some-task": the folder and the task need the same name$/,
    );
  });

  const old = { _def: { typeName: "ZodObject" }, safeParse: () => ({ success: true }) };
  const faults: [change: object, fault: string][] = [
    [{ name: "Some Task" }, "`name` must be lower-case words joined by hyphens"],
    [{ title: "" }, "`title` must have 1 to 100 characters"],
    [{ description: "a\0b" }, "`description` contains NUL or half a surrogate pair"],
    [{ maxPhotos: 101 }, "`maxPhotos` must be 0 to 100"],
    [{ minPhotos: 3 }, "`minPhotos` is more than maxPhotos"],
    [{ maxAttempts: 0 }, "`maxAttempts` must be 1 to 100"],
    [{ maxAttempts: 1.5 }, "`maxAttempts` must be a whole number from 1 to 100"],
    [{ timeoutMs: 1e9 }, "`timeoutMs` must be 1 to 86400000"],
    [{ timeoutMs: undefined }, "`timeoutMs` must be a whole number from 1 to 86400000"],
    [{ runsIn: "thread" }, '`runsIn` must be "worker" or "child"'],
    [{ runsIn: "worker" }, '`runsIn` must be "child" for a task that takes photos'],
    [{ resultVersion: 0 }, "`resultVersion` must be 1 to 1000000"],
    [{ parameters: { type: "object" } }, "`parameters` is not a schema of zod"],
    [
      { parameters: old },
      "`parameters` is a schema of zod 3: use zod 4, or remove that zod from the task's " +
        "node_modules",
    ],
    [{ result: z.string() }, "`result` must be an object, as of z.strictObject or z.object"],
    [
      { parameters: z.object({ when: z.date() }) },
      "`parameters` cannot be used: Date cannot be represented in JSON Schema",
    ],
    [
      {
        parameters: z.object({
          a: z
            .string()
            .default("a")
            .refine(async () => true),
        }),
      },
      "`parameters` cannot be used: Encountered Promise during synchronous parse. Use " +
        ".parseAsync() instead.",
    ],
    [
      { title: "", maxAttempts: 0 },
      "`title` must have 1 to 100 characters; `maxAttempts` must be 1 to 100",
    ],
  ];
  for (const [change, fault] of faults) {
    it(`is refused with: ${fault.slice(0, 80)}`, () =>
      assert.throws(() => check({ task: { ...GOOD, ...change } }), {
        message: `has a faulty task: ${fault}`,
      }));
  }
});
