import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { armFailpoints } from "../../../src/runtime/failpoint.js";
import type { User } from "../../../src/services/users/users.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { refusalOf } from "../../support/asserts/refusal-of.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";
import { waitsForLock } from "../../support/stores/waits-for-lock.js";

describe("accepting submissions", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices();
    user = await services.newUser();
  });
  after(() => services.close());

  it("creates a PENDING row, its event and its hint", async () => {
    const submitter = await services.newUser();
    const photo = await services.newPhoto(submitter);
    const queuedJob = await services.submit(submitter, {
      job: "album",
      parameters: { title: "ü" },
      photoIds: [photo.id],
      priority: 7,
    });
    assert.deepEqual(queuedJob, {
      id: queuedJob.id,
      userId: submitter.id,
      jobName: "album",
      status: "PENDING",
      parameters: { title: "ü" },
      photoCount: 1,
      priority: 7,
      runAt: null,
      progress: 0,
      progressMessage: null,
      attempts: 0,
      result: null,
      outputs: [],
      error: null,
      version: 1,
      createdAt: queuedJob.createdAt,
      updatedAt: queuedJob.updatedAt,
      startedAt: null,
      finishedAt: null,
      expiresAt: null,
      reusedFrom: null,
    });
    assert.match(queuedJob.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(await services.queuedJobs.find(submitter, queuedJob.id), queuedJob);
    const [event] = services.published.slice(-1);
    assert.deepEqual(event, { seq: 2, type: "QUEUED", at: event?.at, queuedJob });
    assert.deepEqual(services.hinted.at(-1), {
      id: queuedJob.id,
      run: 1,
      requestId: "request",
      userId: submitter.id,
      lane: "child",
      priority: 7,
      backlog: 1,
      delayMs: 0,
    });
    assert.equal((await services.row(queuedJob.id)).run, 1);
  });

  it("stores the parameters with their defaults", async () => {
    assert.deepEqual((await services.submit(user, { parameters: { steps: 2 } })).parameters, {
      durationMs: 0,
      steps: 2,
      failAttempts: 0,
      failPermanently: false,
    });
  });

  it("stores every JSON value unchanged", async () => {
    for (const message of [
      null,
      "",
      "\u0001 ' \" \\ 🙂",
      0,
      -1.5e-7,
      12345678901234,
      true,
      [],
      {},
      [null, { a: [{}] }],
      { __proto__x: 1, "": 2 },
    ]) {
      assert.deepEqual(
        (await services.submit(user, { parameters: { message } })).parameters["message"],
        message,
      );
    }
  });

  it("treats a past run time as now, and shows it unchanged", async () => {
    const runAt = new Date("0001-01-01T00:00:00.000Z");
    const queuedJob = await services.submit(user, { runAt });
    assert.equal(queuedJob.runAt, "0001-01-01T00:00:00.000Z");
    assert.equal(services.hinted.at(-1)?.delayMs, 0);
    assert.equal((await services.start(queuedJob)).attempt, 1);
  });

  it("adds the hint of a later run time with the remaining delay", async () => {
    await services.submit(user, { runAt: new Date(Date.now() + 30_000) });
    const delayMs = services.hinted.at(-1)?.delayMs ?? 0;
    assert.ok(delayMs > 25_000 && delayMs <= 30_000, String(delayMs));
  });

  it("gives the hint the owner's backlog of at least its priority", async () => {
    const submitter = await services.newUser();
    for (const priority of [0, 5, 0, 9, 5]) await services.submit(submitter, { priority });
    assert.deepEqual(
      services.hinted.slice(-5).map(({ backlog }) => backlog),
      [1, 1, 3, 1, 3],
    );
  });

  it("succeeds and adds the hint although the database fails after the commit", async () => {
    armFailpoints(async (name) => {
      if (name === "accept: after the commit")
        await services.database.sql`alter table queued_jobs rename to away`;
    });
    const queuedJob = await services.submit(user, { priority: 7 }).finally(async () => {
      armFailpoints(async () => {});
      await services.database.sql`alter table away rename to queued_jobs`;
    });
    assert.deepEqual(
      [services.hinted.at(-1)?.id, services.published.at(-1)?.queuedJob.id],
      [queuedJob.id, queuedJob.id],
    );
  });

  it("accepts 100 at once in order, numbered and published together", async () => {
    const submitter = await services.newUser();
    const [notifications, eventCount, hints] = [
      services.notifications.length,
      services.published.length,
      services.hinted.length,
    ];
    const queuedJobs = await services.submitMany(
      submitter,
      Array.from({ length: 100 }, (_, i) => ({ parameters: { message: i } })),
    );
    assert.deepEqual(
      queuedJobs.map(({ parameters }) => parameters["message"]),
      Array.from({ length: 100 }, (_, i) => i),
    );
    assert.deepEqual(
      queuedJobs.map(({ id }) => id).toSorted(),
      queuedJobs.map(({ id }) => id),
      "the order of ids is the order of submission",
    );
    assert.deepEqual(services.notifications.slice(notifications), [100]);
    assert.deepEqual(
      services.published.slice(eventCount).map(({ seq, queuedJob }) => [seq, queuedJob.id]),
      queuedJobs.map(({ id }, i) => [i + 1, id]),
    );
    assert.equal(services.hinted.length - hints, 100);
  });

  it("reports all faults of all submissions with their indexes, and accepts none", async () => {
    const before_ = await services.everythingOf(user);
    assert.deepEqual(
      await refusalOf(
        services.submitMany(user, [
          {},
          { job: "nope", priority: 101 },
          {},
          { parameters: { a: 1 } },
        ]),
      ),
      {
        code: "BAD_USER_INPUT",
        message:
          '1.job: there is no Job "nope" to submit; the query jobs lists them; ' +
          "1.priority: must be 0 to 100; 3.parameters.a: is not a parameter of this Job",
        issues: [
          {
            path: [1, "job"],
            message: 'there is no Job "nope" to submit; the query jobs lists them',
          },
          { path: [1, "priority"], message: "must be 0 to 100" },
          { path: [3, "parameters", "a"], message: "is not a parameter of this Job" },
        ],
      },
    );
    assert.deepEqual(await services.everythingOf(user), before_);
  });

  it("reports the faults of a single submission without an index", async () => {
    assert.deepEqual(await refusalOf(services.submit(user, { priority: -1 })), {
      code: "BAD_USER_INPUT",
      message: "priority: must be 0 to 100",
      issues: [{ path: ["priority"], message: "must be 0 to 100" }],
    });
  });

  it("refuses foreign, deleted and unknown photos, each with its position", async () => {
    const [own, foreign, gone] = [
      await services.newPhoto(user),
      await services.newPhoto(await services.newUser()),
      await services.newPhoto(user),
    ];
    await services.photos.remove(user.id, gone.id);
    const fault = (...path: (string | number)[]) => ({
      path,
      message: "is not a photo of yours",
    });
    const one = await refusalOf(
      services.submit(user, { job: "album", photoIds: [own.id, foreign.id, gone.id] }),
    );
    assert.deepEqual(
      [one.code, one.issues],
      ["BAD_USER_INPUT", [fault("photoIds", 1), fault("photoIds", 2)]],
    );
    const many = await refusalOf(
      services.submitMany(user, [
        {},
        { job: "album", photoIds: [uuidv7(), own.id] },
        { job: "metadata", photoIds: [foreign.id] },
      ]),
    );
    assert.deepEqual(
      [many.code, many.issues],
      ["BAD_USER_INPUT", [fault(1, "photoIds", 0), fault(2, "photoIds", 0)]],
    );
  });

  it("refuses a photo that is deleted at the same time, and accepts nothing", async () => {
    const [kept, photo] = [await services.newPhoto(user), await services.newPhoto(user)];
    const { sql } = services.database;
    let submitting: Promise<unknown> = Promise.resolve();
    await sql.begin(async (tx) => {
      await tx`delete from photos where id = ${photo.id}`;
      submitting = refusalOf(
        services.submitMany(user, [{}, { job: "album", photoIds: [kept.id, photo.id] }]),
      );
      await waitsForLock(sql);
    });
    assert.deepEqual(await submitting, {
      code: "BAD_USER_INPUT",
      message: "1.photoIds.1: is not a photo of yours",
      issues: [{ path: [1, "photoIds", 1], message: "is not a photo of yours" }],
    });
    await sql`update user_streams set stored_bytes = stored_bytes - ${photo.byteSize}
      where user_id = ${user.id}`;
    await assertConsistent(sql);
  });

  it("keeps the photos in the order of submission, also a repeated one", async () => {
    const photos = await Promise.all([services.newPhoto(user), services.newPhoto(user)]);
    const [a = "", b = ""] = photos.map(({ id }) => id);
    const { id } = await services.submit(user, { job: "album", photoIds: [b, a.toUpperCase(), b] });
    assert.deepEqual(
      (
        await services.database
          .sql`select photo_id as id from queued_job_photos where queued_job_id = ${id}
            order by position`
      ).map((row) => row["id"]),
      [b, a, b],
    );
  });

  it("reports a deleted account to its user, and not a full quota", async () => {
    const gone = await services.newUser();
    await services.database.sql`delete from users where id = ${gone.id}`;
    assert.deepEqual(await refusalOf(services.submit(gone)), {
      code: "UNAUTHENTICATED",
      message: "This account was deleted: sign in again.",
    });
  });

  it("leaves consistent counters, numbers and events", async () =>
    assertConsistent(services.database.sql));
});
