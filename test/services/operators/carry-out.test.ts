import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { armFailpoints } from "../../../src/runtime/failpoint.js";
import type { User } from "../../../src/services/users/users.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../support/asserts/assert-complete-stream.js";
import { createOperationScene, OPERATOR, type OperationScene } from "./operation-scene.js";

describe("an operation of an operator", () => {
  let scene: OperationScene;
  let users: User[];
  before(async () => {
    scene = await createOperationScene({ maxPending: 5 });
  });
  beforeEach(async () => {
    users = [await scene.services.newUser(), await scene.services.newUser()];
  });
  afterEach(async () => {
    armFailpoints(async () => {});
    await assertConsistent(scene.services.database.sql);
    assertCompleteStream(scene.services);
  });
  after(() => scene.close());

  const userIds = () => users.map(({ id }) => id);
  const theUser = (i: number): User => users[i] ?? assert.fail();
  const statusOf = async (id: string) => (await scene.services.row(id)).status;
  const failEach = async () => [
    ...(await scene.failed(theUser(0), 3)),
    ...(await scene.failed(theUser(1), 2)),
  ];

  it("retries what matches, adds a hint with its own place for each, and ends", async () => {
    const ids = await failEach();
    const other = await scene.failed(await scene.services.newUser(), 1);
    const id = await scene.start("RETRY", { userIds: userIds(), status: "FAILED" });
    const operation = await scene.carryOut(id);
    assert.deepEqual(
      [operation.state, operation.done, operation.skipped, operation.waiting],
      ["FINISHED", 5, {}, 0],
    );
    assert.deepEqual(new Set(await Promise.all(ids.map(statusOf))), new Set(["PENDING"]));
    assert.equal(await statusOf(other[0] ?? ""), "FAILED");
    const hints = scene.services.hinted.filter((hint) => ids.includes(hint.id) && hint.run === 2);
    assert.deepEqual(hints.map(({ backlog }) => backlog).toSorted(), [1, 1, 2, 2, 3]);
  });

  it("cancels and deletes what matches, with its files and events", async () => {
    const [waiting] = await scene.services.submitMany(theUser(0), [{}]);
    const done = await scene.services.finished(theUser(0));
    const cancelled = await scene.carryOut(await scene.start("CANCEL", { userIds: userIds() }));
    assert.equal(cancelled.done, 1);
    assert.equal(await statusOf(waiting?.id ?? ""), "CANCELLED");
    const deleted = await scene.carryOut(await scene.start("DELETE", { userIds: userIds() }));
    assert.equal(deleted.done, 2);
    assert.equal(await scene.services.queuedJobs.find(theUser(0), done.id), null);
    assert.equal(scene.services.published.at(-1)?.type, "DELETED");
  });

  it("counts what it skips by reason: a deleted photo, a full quota", async () => {
    const photo = await scene.services.newPhoto(theUser(0));
    const { id } = await scene.services.submit(theUser(0), { job: "album", photoIds: [photo.id] });
    await scene.services.queuedJobs.cancel(theUser(0), id);
    await scene.services.photos.remove(theUser(0).id, photo.id);
    await scene.failed(theUser(1), 3);
    await scene.services.submitMany(theUser(1), [{}, {}, {}, {}]);
    const operation = await scene.carryOut(await scene.start("RETRY", { userIds: userIds() }));
    assert.deepEqual(
      [operation.state, operation.done, operation.skipped],
      ["FINISHED", 1, { PHOTO_GONE: 1, QUOTA_EXCEEDED: 2 }],
    );
  });

  it("does not retry again what fails again while it runs", async () => {
    const [id = ""] = await scene.failed(theUser(0), 1);
    const operation = await scene.start("RETRY", { userIds: userIds() });
    await scene.services.queuedJobs.retry(theUser(0), id);
    await scene.services.queuedJobs.fail(await scene.services.start({ id }), {
      code: "TASK_FAILED",
      message: "No.",
      permanent: true,
    });
    assert.equal((await scene.carryOut(operation)).done, 0);
    assert.deepEqual([await statusOf(id), (await scene.services.row(id)).run], ["FAILED", 2]);
  });

  it("leaves out what was submitted after its start", async () => {
    const operation = await scene.start("CANCEL", { userIds: userIds() });
    const { id } = await scene.services.submit(theUser(0));
    assert.equal((await scene.carryOut(operation)).done, 0);
    assert.equal(await statusOf(id), "PENDING");
  });

  it("passes over locked rows, and visits them again", async () => {
    const ids = await failEach();
    const operation = await scene.start("RETRY", { userIds: userIds() });
    await scene.services.database.sql.begin(async (tx) => {
      await tx`select from queued_jobs where id = ${ids[1] ?? ""} for update`;
      const during = await scene.carryOut(operation);
      assert.deepEqual([during.state, during.done, during.waiting], ["RUNNING", 4, 1]);
    });
    const ended = await scene.carryOut(operation);
    assert.deepEqual([ended.state, ended.done, ended.waiting], ["FINISHED", 5, 0]);
  });

  it("is not held up by the locked counter of a user", async () => {
    await failEach();
    const operation = await scene.start("RETRY", { userIds: userIds() });
    await scene.services.database.sql.begin(async (tx) => {
      await tx`select from user_streams where user_id = ${theUser(0).id} for update`;
      const during = await scene.carryOut(operation);
      assert.deepEqual([during.state, during.done, during.waiting], ["RUNNING", 2, 3]);
    });
    assert.equal((await scene.carryOut(operation)).done, 5);
  });

  it("continues after a failure at any batch, without doing a row twice", async () => {
    const ids = await failEach();
    const operation = await scene.start("RETRY", { userIds: userIds() });
    let failures = 0;
    armFailpoints(async (name) => {
      if (name === "operation: before the position" && failures++ === 0)
        throw new Error("the process died");
    });
    const ended = await scene.carryOut(operation);
    assert.deepEqual([ended.state, ended.done, failures > 1], ["FINISHED", 5, true]);
    for (const id of ids) assert.equal((await scene.services.row(id)).run, 2);
  });

  it("counts a row that PostgreSQL refuses, and does the others", async () => {
    const ids = await failEach();
    const { sql } = scene.services.database;
    await sql`alter table queued_jobs add constraint no_second_run check (run < 2 or id <> ${sql.unsafe(
      `'${ids[2]}'`,
    )})`;
    const ended = await scene.carryOut(await scene.start("RETRY", { userIds: userIds() }));
    await sql`alter table queued_jobs drop constraint no_second_run`;
    assert.deepEqual(
      [ended.state, ended.done, ended.skipped],
      ["FINISHED", 4, { INTERNAL_SERVER_ERROR: 1 }],
    );
  });

  it("leaves an operation with an unknown condition to a later release", async () => {
    const [id = ""] = await scene.failed(theUser(0), 1);
    const operation = await scene.start("RETRY", { userIds: userIds(), camera: "X" } as object);
    assert.equal((await scene.carryOut(operation)).state, "RUNNING");
    assert.equal(await statusOf(id), "FAILED");
    await scene.operations.stop(operation, OPERATOR);
  });

  it("stops on request, and what is done stays done", async () => {
    await scene.failed(theUser(0), 1);
    const operation = await scene.start("RETRY", { userIds: userIds() });
    await scene.operations.stop(operation, OPERATOR);
    assert.equal(await scene.carrier.advance({ id: operation, action: "RETRY" }), "idle");
    const stopped = await scene.carryOut(operation);
    assert.deepEqual([stopped.state, stopped.done], ["STOPPED", 0]);
    await assert.rejects(scene.operations.stop(operation, OPERATOR), {
      code: "CONFLICT",
      message: "The operation does not run: it has finished or was stopped.",
    });
  });

  it("is carried out by one process at a time", async () => {
    const ids = await failEach();
    const id = await scene.start("RETRY", { userIds: userIds() });
    await Promise.all(
      Array.from({ length: 8 }, () => scene.carrier.advance({ id, action: "RETRY" })),
    );
    const { state, done } = await scene.carryOut(id);
    assert.deepEqual([state, done], ["FINISHED", 5]);
    for (const one of ids) assert.equal((await scene.services.row(one)).version, 4);
  });
});
