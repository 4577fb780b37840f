import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TestClient } from "../../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

describe("parameters and a result over 8 kB", () => {
  const HISTORY =
    "query ($id: ID!) { queuedJob(id: $id) { parameters result history { type queuedJob " +
    "{ parameters result } } } }";
  let service: TestService;
  let owner: TestClient;
  before(async () => {
    service = await startTestService({ workers: 1 });
    owner = await service.person();
  });
  after(() => service.close());

  it("are returned while the row exists, although events do not store them", async () => {
    const message = "x".repeat(9000);
    const stream = owner.events({ after: await owner.cursor() });
    const { enqueueJob } = await owner.get(
      "mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { id parameters } }",
      { input: { job: "echo", parameters: { message } } },
    );
    const { id } = enqueueJob;
    const result = { message, attempt: 1 };
    const succeeded = await stream.next(
      "its success",
      ({ type, queuedJob }) => type === "SUCCEEDED" && queuedJob.id === id,
    );
    assert.deepEqual(succeeded.queuedJob.result, result);
    const { queuedJob } = await owner.get(HISTORY, { id });
    const parameters = {
      message,
      durationMs: 0,
      steps: 0,
      failAttempts: 0,
      failPermanently: false,
    };
    assert.deepEqual(
      [enqueueJob.parameters, queuedJob.parameters, queuedJob.result],
      [parameters, parameters, result],
    );
    assert.deepEqual(queuedJob.history, [
      { type: "QUEUED", queuedJob: { parameters, result: null } },
      { type: "STARTED", queuedJob: { parameters, result: null } },
      { type: "SUCCEEDED", queuedJob: { parameters, result } },
    ]);
    const [longest] = await service.database.sql<
      { bytes: number }[]
    >`select max(octet_length(snapshot::text)) as bytes from queued_job_events`;
    assert.ok(Number(longest?.bytes) < 2000, `${longest?.bytes} bytes`);

    await owner.get("mutation ($id: ID!) { done: deleteQueuedJob(id: $id) }", { id });
    const deleted = await stream.next(
      "its deletion",
      ({ type, queuedJob: gone }) => type === "DELETED" && gone.id === id,
    );
    assert.deepEqual([deleted.queuedJob.status, deleted.queuedJob.result], ["SUCCESS", null]);
    stream.stop();
  });

  it("are not returned from a row whose owner differs from the event's", async () => {
    const cursor = await owner.cursor();
    const { id } = await owner.enqueue("echo", { message: "x".repeat(9000) });
    await owner.finished(id);
    const { me } = await (await service.person()).get("{ me { id } }");
    await service.database.sql`update queued_jobs set user_id = ${me.id} where id = ${id}`;
    const stream = owner.events({ after: cursor });
    const succeeded = await stream.next("its success", ({ type }) => type === "SUCCEEDED");
    stream.stop();
    assert.equal(succeeded.queuedJob.result, null);
  });
});
