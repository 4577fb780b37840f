import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertRefused } from "../../support/asserts/assert-refused.js";
import { BROKEN_IDS, idOfNothing } from "../../support/asserts/broken-ids.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const QUERY = "query ($id: ID!) { queuedJob(id: $id) { id status user { id } } }";
const MUTATIONS = {
  cancel:
    "mutation ($id: ID!) { done: cancelQueuedJob(id: $id) { id status version progress " +
    "error { code } startedAt finishedAt expiresAt } }",
  retry:
    "mutation ($id: ID!) { done: retryQueuedJob(id: $id) { id status version progress " +
    "error { code } startedAt finishedAt expiresAt } }",
  delete: "mutation ($id: ID!) { done: deleteQueuedJob(id: $id) }",
};

describe("queuedJob and its mutations", () => {
  let service: TestService;
  let owner: TestClient;
  before(async () => {
    service = await startTestService({ workers: 0 });
    owner = await service.person();
  });
  after(() => service.close());

  /** Creates a QueuedJob in this state, which no worker runs. */
  async function inStatus(
    status: "PENDING" | "STARTED" | "SUCCESS" | "FAILED" | "CANCELLED",
    person = owner,
  ): Promise<string> {
    const { id } = await person.enqueue("echo");
    const { sql } = service.database;
    const finished = sql`finished_at = now(), expires_at = now() + interval '1 hour'`;
    if (status === "CANCELLED") await person.get(MUTATIONS.cancel, { id });
    if (status === "STARTED")
      await sql`update queued_jobs set status = 'STARTED', attempts = 1,
        lease_until = now() + interval '1 minute', started_at = now() where id = ${id}`;
    if (status === "SUCCESS")
      await sql`update queued_jobs set status = 'SUCCESS', progress = 1, ${finished}
        where id = ${id}`;
    if (status === "FAILED")
      await sql`update queued_jobs set status = 'FAILED', attempts = 3, progress = 0.5,
        error_code = 'TASK_FAILED', error_message = 'It failed.', ${finished} where id = ${id}`;
    return id;
  }

  it("refuse an invalid id", async () => {
    for (const operation of [QUERY, ...Object.values(MUTATIONS)]) {
      for (const id of BROKEN_IDS)
        assertRefused(
          (await owner.ask(operation, { id })).errors,
          "BAD_USER_INPUT",
          "id: is not an id: ids are UUIDs",
          ["id"],
        );
    }
  });

  it("accept an id in upper case", async () => {
    const id = await inStatus("PENDING");
    assert.equal((await owner.get(QUERY, { id: id.toUpperCase() })).queuedJob.id, id);
    assert.equal((await owner.get(MUTATIONS.cancel, { id: id.toUpperCase() })).done.id, id);
    assert.equal((await owner.get(MUTATIONS.delete, { id: id.toUpperCase() })).done, id);
  });

  it("return null or NOT_FOUND for an unknown or another user's job", async () => {
    const other = await service.person();
    for (const [person, id] of [
      [owner, idOfNothing()],
      [other, await inStatus("PENDING")],
      [other, await inStatus("CANCELLED")],
    ] as const) {
      assert.equal((await person.get(QUERY, { id })).queuedJob, null);
      for (const mutation of Object.values(MUTATIONS))
        assertRefused(
          (await person.ask(mutation, { id })).errors,
          "NOT_FOUND",
          "There is no such QueuedJob.",
        );
    }
  });

  it("are allowed to an admin for all users", async () => {
    const admin = await service.admin();
    const id = await inStatus("PENDING");
    const { queuedJob } = await admin.get(QUERY, { id });
    assert.equal(queuedJob.user.id, (await owner.get("{ me { id } }")).me.id);
    assert.equal((await admin.get(MUTATIONS.cancel, { id })).done.status, "CANCELLED");
    assert.equal((await admin.get(MUTATIONS.retry, { id })).done.status, "PENDING");
    await admin.get(MUTATIONS.cancel, { id });
    assert.equal((await admin.get(MUTATIONS.delete, { id })).done, id);
    assert.equal(await owner.job(id), null);
  });

  it("cancel an unfinished job, idempotently", async () => {
    for (const status of ["PENDING", "STARTED"] as const) {
      const id = await inStatus(status);
      const { done } = await owner.get(MUTATIONS.cancel, { id });
      assert.deepEqual([done.status, done.version], ["CANCELLED", 2]);
      assert.ok(done.finishedAt < done.expiresAt);
      assert.deepEqual((await owner.get(MUTATIONS.cancel, { id })).done, done);
    }
  });

  it("reset a failed or cancelled job on retry, except its attempts and version", async () => {
    for (const [status, version, attempts] of [
      ["FAILED", 2, 3],
      ["CANCELLED", 3, 0],
    ] as const) {
      const id = await inStatus(status);
      const { done } = await owner.get(MUTATIONS.retry, { id });
      assert.deepEqual(done, {
        id,
        status: "PENDING",
        version,
        progress: 0,
        error: null,
        startedAt: null,
        finishedAt: null,
        expiresAt: null,
      });
      assert.equal((await owner.job(id))?.attempts, attempts);
    }
  });

  it("delete a finished job", async () => {
    for (const status of ["SUCCESS", "FAILED", "CANCELLED"] as const) {
      const id = await inStatus(status);
      assert.equal((await owner.get(MUTATIONS.delete, { id })).done, id);
      assert.equal(await owner.job(id), null);
      assertRefused(
        (await owner.ask(MUTATIONS.delete, { id })).errors,
        "NOT_FOUND",
        "There is no such QueuedJob.",
      );
    }
  });

  const CONFLICTS = [
    [
      "cancel",
      "SUCCESS",
      "The QueuedJob is SUCCESS: only a PENDING or STARTED one can be cancelled.",
    ],
    [
      "cancel",
      "FAILED",
      "The QueuedJob is FAILED: only a PENDING or STARTED one can be cancelled.",
    ],
    [
      "retry",
      "PENDING",
      "The QueuedJob is PENDING: only a FAILED or CANCELLED one can be retried.",
    ],
    [
      "retry",
      "STARTED",
      "The QueuedJob is STARTED: only a FAILED or CANCELLED one can be retried.",
    ],
    [
      "retry",
      "SUCCESS",
      "The QueuedJob is SUCCESS: only a FAILED or CANCELLED one can be retried.",
    ],
    ["delete", "PENDING", "The QueuedJob is PENDING: cancel it before you delete it."],
    ["delete", "STARTED", "The QueuedJob is STARTED: cancel it before you delete it."],
  ] as const;
  for (const [mutation, status, message] of CONFLICTS) {
    it(`refuse to ${mutation} a ${status} job, which stays unchanged`, async () => {
      const id = await inStatus(status);
      const untouched = await owner.job(id);
      assertRefused((await owner.ask(MUTATIONS[mutation], { id })).errors, "CONFLICT", message);
      assert.deepEqual(await owner.job(id), untouched);
    });
  }

  it("return only the submitted values of a new job", async () => {
    const { id } = await owner.enqueue("echo", { message: "new" }, { priority: 7 });
    const { queuedJob } = await owner.get(
      `query ($id: ID!) { queuedJob(id: $id) {
      parameters priority runAt progress progressMessage attempts result outputs { name } photos {
      id } error { code } version createdAt updatedAt startedAt finishedAt expiresAt reusedFrom
      history { type queuedJob { version } }
    } }`,
      { id },
    );
    const { createdAt, updatedAt, ...rest } = queuedJob;
    assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(updatedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, {
      parameters: {
        message: "new",
        durationMs: 0,
        steps: 0,
        failAttempts: 0,
        failPermanently: false,
      },
      priority: 7,
      runAt: null,
      progress: 0,
      progressMessage: null,
      attempts: 0,
      result: null,
      outputs: [],
      photos: [],
      error: null,
      version: 1,
      startedAt: null,
      finishedAt: null,
      expiresAt: null,
      reusedFrom: null,
      history: [{ type: "QUEUED", queuedJob: { version: 1 } }],
    });
  });

  it("return the history of a job, oldest first, with cursors for the stream", async () => {
    const id = await inStatus("CANCELLED");
    await owner.get(MUTATIONS.retry, { id });
    const { queuedJob } = await owner.get(
      "query ($id: ID!) { queuedJob(id: $id) { history { cursor type queuedJob { version " +
        "status } } } }",
      { id },
    );
    const steps = queuedJob.history.map(
      (event: { type: string; queuedJob: { version: number; status: string } }) => [
        event.type,
        event.queuedJob.version,
        event.queuedJob.status,
      ],
    );
    assert.deepEqual(steps, [
      ["QUEUED", 1, "PENDING"],
      ["CANCELLED", 2, "CANCELLED"],
      ["QUEUED", 3, "PENDING"],
    ]);
    const stream = owner.events({ after: queuedJob.history[1].cursor });
    const next = await stream.next("the next event", () => true);
    stream.stop();
    assert.deepEqual([next.cursor, next.queuedJob.version], [queuedJob.history[2].cursor, 3]);
  });

  it("act in bulk only on the caller's jobs, and return their number", async () => {
    const [person, admin] = [await service.person(), await service.admin()];
    const ids = await Promise.all(
      ["PENDING", "STARTED", "SUCCESS", "FAILED", "CANCELLED"].map((status) =>
        inStatus(status as "PENDING", person),
      ),
    );
    const bulk = async (client: TestClient, mutation: string, filter: object | null) =>
      Object.values(
        await client.get(`mutation ($filter: QueuedJobFilter) { ${mutation}(filter: $filter) }`, {
          filter,
        }),
      )[0];

    assert.equal(await bulk(admin, "cancelQueuedJobs", null), 0);
    assert.equal(await bulk(admin, "deleteQueuedJobs", {}), 0);
    assert.equal(await bulk(admin, "retryQueuedJobs", null), 0);
    assert.equal(await bulk(person, "retryQueuedJobs", { status: ["SUCCESS"] }), 0);
    assert.equal(await bulk(person, "cancelQueuedJobs", { job: ["thumbnail"] }), 0);
    assert.equal(await bulk(person, "cancelQueuedJobs", { status: ["SUCCESS", "FAILED"] }), 0);
    assert.equal(await bulk(person, "cancelQueuedJobs", { status: ["PENDING"] }), 1);
    assert.equal(await bulk(person, "cancelQueuedJobs", null), 1);
    assert.equal(await bulk(person, "deleteQueuedJobs", { status: [] }), 0);
    assert.equal(await bulk(person, "deleteQueuedJobs", { status: ["FAILED"], job: ["echo"] }), 1);
    assert.deepEqual(
      (await Promise.all(ids.map((id) => person.job(id)))).map((job) => job?.status ?? null),
      ["CANCELLED", "CANCELLED", "SUCCESS", null, "CANCELLED"],
    );
    assert.equal(await bulk(person, "deleteQueuedJobs", null), 4);
    assert.equal(
      (await owner.get("{ queuedJobs(first: 1) { nodes { id } } }")).queuedJobs.nodes.length,
      1,
    );
  });
});
