import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { catalogue } from "../../src/tasks/catalogue.js";
import { loadWork } from "../../src/tasks/load-work.js";

describe("the work of a task", () => {
  it("is found by its name, and is what its declaration loads", async () => {
    for (const task of catalogue.values())
      assert.equal((await loadWork(task.name)).run, (await task.load()).run, task.name);
  });
});
