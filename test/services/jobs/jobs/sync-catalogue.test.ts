import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { z } from "zod";
import { syncCatalogue } from "../../../../src/services/jobs/jobs.js";
import { catalogue } from "../../../../src/tasks/catalogue.js";
import { toJsonSchema } from "../../../../src/tasks/json-schema.js";
import { albumTask } from "../../../support/service/album-task.js";
import { submissionOf } from "../../../support/service/submission-of.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

describe("the synchronization of the Jobs with the tasks", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(() => services.close());
  const tasks = [...catalogue.values()];
  const rows = async () => [...(await services.database.sql`select * from jobs order by name`)];

  it("writes a row for each task, and the same rows when it runs again", async () => {
    await syncCatalogue(services.database, [...tasks, albumTask]);
    const before_ = await rows();
    assert.equal(before_.length, tasks.length + 1);
    await syncCatalogue(services.database, [...tasks, albumTask]);
    assert.deepEqual(await rows(), before_);
  });

  it("copies the changes of a task into every column", async () => {
    const changed = {
      ...albumTask,
      title: "New",
      description: "Newer.",
      parameters: z.strictObject({ a: z.int() }),
      result: z.string(),
      minPhotos: 2,
      maxPhotos: 9,
      maxAttempts: 7,
      timeoutMs: 5,
    };
    await syncCatalogue(services.database, [...tasks, changed]);
    const row = (await rows()).find(({ name }) => name === "album");
    assert.deepEqual(row, {
      name: "album",
      title: "New",
      description: "Newer.",
      parameter_schema: toJsonSchema(changed.parameters, "input"),
      result_schema: toJsonSchema(changed.result, "output"),
      min_photos: 2,
      max_photos: 9,
      max_attempts: 7,
      timeout_ms: 5,
      offered: true,
    });
  });

  it("keeps the row of a removed task, and offers the task again when it returns", async () => {
    await syncCatalogue(services.database, [...tasks, albumTask]);
    const user = await services.newUser();
    const { id } = await services.submit(user, {
      job: "album",
      photoIds: [(await services.newPhoto(user)).id],
    });
    const offered = async () =>
      (await rows()).filter((row) => row["offered"]).map((row) => row["name"]);
    await syncCatalogue(services.database, tasks);
    assert.deepEqual(await offered(), tasks.map(({ name }) => name).toSorted());
    assert.equal((await services.queuedJobs.find(user, id))?.jobName, "album");
    await syncCatalogue(services.database, [...tasks, albumTask]);
    assert.ok((await offered()).includes("album"));
  });

  it("is safe when many processes run it at once with their tasks in any order", async () => {
    const all = [...tasks, albumTask];
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        syncCatalogue(services.database, i % 2 === 0 ? all : all.toReversed()),
      ),
    );
    assert.equal((await rows()).length, all.length);
  });

  it("does not wait for a transaction that holds a share lock on the key of a row", async () => {
    const { sql } = services.database;
    const changed = { ...albumTask, title: "Newer than the row" };
    await sql.begin(async (tx) => {
      await tx`select from jobs for key share`;
      await syncCatalogue(services.database, [...tasks, changed]);
    });
    assert.equal(
      (await rows()).find(({ name }) => name === "album")?.["title"],
      "Newer than the row",
    );
  });

  it("locks no row when nothing has changed", async () => {
    const all = [...tasks, albumTask];
    await syncCatalogue(services.database, all);
    await services.database.sql.begin(async (tx) => {
      await tx`select from jobs for update`;
      await syncCatalogue(services.database, all);
    });
  });

  it("delays no submission, twenty times in a row beside eight users who submit", async () => {
    const users = await Promise.all(Array.from({ length: 8 }, () => services.newUser()));
    let [worst, done, accepted] = [0, false, 0];
    const submitting = users.map(async (user) => {
      while (!done) {
        const startedAt = performance.now();
        await services.queuedJobs.enqueue(user.id, {
          single: true,
          requestId: "request",
          submissions: [submissionOf()],
        });
        worst = Math.max(worst, performance.now() - startedAt);
        accepted++;
      }
    });
    for (let i = 0; i < 20; i++)
      await syncCatalogue(services.database, [...tasks, { ...albumTask, title: `Title ${i}` }]);
    done = true;
    await Promise.all(submitting);
    assert.ok(accepted > 20 && worst < 2000, `${accepted} accepted, the slowest in ${worst} ms`);
  });

  it("describes parameters as received, with optional defaults, and results as returned", () => {
    const schema = z.strictObject({ a: z.int().default(1), b: z.string() });
    const input = toJsonSchema(schema, "input");
    assert.deepEqual(
      [input["$schema"], input["required"], input["additionalProperties"]],
      ["https://json-schema.org/draft/2020-12/schema", ["b"], false],
    );
    assert.deepEqual(toJsonSchema(schema, "output")["required"], ["a", "b"]);
  });
});
