import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createJobs, syncCatalogue } from "../../../src/services/jobs/jobs.js";
import { catalogue } from "../../../src/tasks/catalogue.js";
import { albumTask } from "../../support/service/album-task.js";
import { createTestDatabase, type TestDatabase } from "../../support/stores/test-database.js";

describe("the catalogue of Jobs", () => {
  let store: TestDatabase;
  before(async () => {
    store = await createTestDatabase();
  });
  after(() => store.close());
  const create = (...disabledJobs: string[]) =>
    createJobs({ database: store.database, catalogue, disabledJobs });

  it("lists every task by name, each with its name as its id", async () => {
    const names = (await create().list()).map(({ id, name, enabled }) => [id, name, enabled]);
    assert.deepEqual(
      names,
      [...catalogue.keys()].toSorted().map((name) => [name, name, true]),
    );
  });

  it("returns a Job with the values of its task", async () => {
    const job = await create().find("echo");
    assert.ok(job);
    const {
      title,
      description,
      minPhotos,
      maxPhotos,
      maxAttempts,
      timeoutMs,
      enabled,
      parameterSchema,
      resultSchema,
    } = job;
    assert.deepEqual(
      { title, minPhotos, maxPhotos, maxAttempts, timeoutMs, enabled },
      {
        title: "Echo",
        minPhotos: 0,
        maxPhotos: 0,
        maxAttempts: 3,
        timeoutMs: 660_000,
        enabled: true,
      },
    );
    assert.match(description, /^Returns its message/);
    assert.deepEqual(
      [parameterSchema["type"], resultSchema["required"]],
      ["object", ["message", "attempt"]],
    );
    assert.ok(!("offered" in job));
  });

  it("finds nothing under an unknown name", async () => {
    const jobs = create();
    assert.deepEqual(
      [
        await jobs.find("nope"),
        await jobs.find(""),
        await jobs.submittable("nope"),
        await jobs.submittable("toString"),
      ],
      [null, null, null, null],
    );
  });

  it("shows a disabled Job as not enabled and not submittable", async () => {
    const jobs = create("echo");
    assert.deepEqual(
      [
        (await jobs.find("echo"))?.enabled,
        await jobs.submittable("echo"),
        (await jobs.submittable("thumbnail"))?.name,
      ],
      [false, null, "thumbnail"],
    );
  });

  it("shows a Job whose task was removed as not enabled", async () => {
    await syncCatalogue(store.database, [...catalogue.values(), albumTask]);
    await syncCatalogue(store.database, catalogue.values());
    const jobs = create();
    assert.deepEqual(
      [(await jobs.find("album"))?.enabled, await jobs.submittable("album")],
      [false, null],
    );
  });

  it("shows a Job whose task only another process has as not enabled", async () => {
    await syncCatalogue(store.database, [...catalogue.values(), albumTask]);
    const jobs = create();
    assert.deepEqual(
      [(await jobs.find("album"))?.enabled, (await jobs.find("hash"))?.enabled],
      [false, true],
    );
    await syncCatalogue(store.database, catalogue.values());
  });

  it("refuses submissions of a Job without a row until migrate has written it", async (context) => {
    await store.database.sql`delete from jobs where name = 'hash'`;
    const jobs = create();
    assert.equal(await jobs.submittable("hash"), null);
    await syncCatalogue(store.database, catalogue.values());
    const later = Date.now() + 5001;
    context.mock.method(Date, "now", () => later);
    assert.equal((await jobs.submittable("hash"))?.name, "hash");
  });

  it("is read only once", async () => {
    const jobs = create();
    await jobs.list();
    await store.database.sql`update jobs set title = 'Changed' where name = 'echo'`;
    assert.equal((await jobs.find("echo"))?.title, "Echo");
    assert.equal((await create().find("echo"))?.title, "Changed");
    await syncCatalogue(store.database, catalogue.values());
  });

  it("is read again for an unknown name, but not each time", async (context) => {
    const jobs = create();
    await jobs.list();
    await syncCatalogue(store.database, [...catalogue.values(), { ...albumTask, name: "newer" }]);
    assert.equal(await jobs.find("newer"), null);
    const later = Date.now() + 5001;
    context.mock.method(Date, "now", () => later);
    assert.equal((await jobs.find("newer"))?.name, "newer");
  });

  it("is read again after a failure", async () => {
    const jobs = create();
    await store.database.sql`alter table jobs rename to hidden`;
    await assert.rejects(jobs.list());
    await store.database.sql`alter table hidden rename to jobs`;
    assert.ok((await jobs.list()).length >= catalogue.size);
  });
});
