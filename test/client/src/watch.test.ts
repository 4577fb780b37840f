import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createLiveJob } from "../../../client/src/index.js";
import { eventually } from "../../support/runner/eventually.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { clientOf, proxiedClientOf } from "../client-of.js";

describe("watch", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service?.close());

  it("yields the steps of a QueuedJob to its end, also across an API that is away", async (t) => {
    const { client, proxy, person } = await proxiedClientOf(t, service);
    const job = await client.run("echo", { durationMs: 400, steps: 4, failAttempts: 1 });
    const types: string[] = [];
    for await (const { type, queuedJob } of client.watch(job)) {
      if (type !== "PROGRESS") types.push(type);
      assert.deepEqual(queuedJob.parameters, job.parameters);
      if (type !== "RETRYING") continue;
      proxy.down();
      await person.finished(job.id);
      proxy.up();
    }
    assert.deepEqual(types.slice(types.indexOf("STARTED")), [
      "STARTED",
      "RETRYING",
      "STARTED",
      "SUCCEEDED",
    ]);
  });

  it("throws CURSOR_EXPIRED after too long a pause, where a live QueuedJob goes on", async (t) => {
    const { client, proxy, person } = await proxiedClientOf(t, service);
    const job = await client.run("echo", { durationMs: 600_000 });
    const live = createLiveJob(client, job);
    t.after(live.subscribe(() => {}));
    const watching = assert.rejects(client.finished(job), { code: "CURSOR_EXPIRED" });
    await eventually("it runs", () => live.getSnapshot().job?.status === "STARTED");
    proxy.down();
    await person.finished((await person.enqueue("echo")).id);
    await service.database.sql`update user_streams set floor_seq = last_seq`;
    proxy.up();
    await watching;
    await person.get("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", { id: job.id });
    await eventually("its end shows", () => live.getSnapshot().job?.status === "CANCELLED");
  });

  it("ends after a break, throws the reason of an abort, and for what does not exist", async (t) => {
    const { client } = clientOf({ url: service.url, token: await service.token() });
    t.after(() => client.close());
    const job = await client.run("echo", { durationMs: 600_000 });
    for await (const { queuedJob } of client.watch(job)) {
      assert.equal(queuedJob.id, job.id);
      break;
    }
    const abort = new AbortController();
    const waiting = client.finished(job, { signal: abort.signal });
    abort.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    const deleted = client.finished(job);
    await client.cancel(job);
    assert.equal((await deleted).status, "CANCELLED");
    await client.delete(job);
    await assert.rejects(client.finished(job), { code: "NOT_FOUND" });
  });

  it("shows one QueuedJob live, also after a retry, and its deletion", async (t) => {
    const { client } = clientOf({ url: service.url, token: await service.token() });
    t.after(() => client.close());
    const job = await client.run("echo", { failPermanently: true });
    const live = createLiveJob(client, job);
    t.after(live.subscribe(() => {}));
    await eventually("it shows FAILED", () => live.getSnapshot().job?.status === "FAILED");
    const { version } = live.getSnapshot().job ?? { version: 0 };
    await client.retry(job);
    await eventually("it shows the second end", () => {
      const now = live.getSnapshot().job;
      return now?.status === "FAILED" && now.version === version + 3;
    });
    const byId = createLiveJob(client, job.id);
    t.after(byId.subscribe(() => {}));
    await eventually("it is read by its id", () => byId.getSnapshot().job?.version === version + 3);
    const missing = createLiveJob(client, "018f0000-0000-7000-8000-000000000000");
    t.after(missing.subscribe(() => {}));
    await eventually("it is missing", () => missing.getSnapshot().error?.code === "NOT_FOUND");
  });
});
