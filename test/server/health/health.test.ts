import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startTestService, type ProxiedService } from "../../support/service/test-service.js";
import { createEmptyDatabase } from "../../support/stores/test-database.js";
import { createDatabase } from "../../../src/db/database.js";
import { checkDatabase } from "../../../src/server/health/health.js";
import { eventually } from "../../support/runner/eventually.js";

async function health(
  url: string,
  path: "live" | "ready",
): Promise<{ status: number; body: Record<string, string> }> {
  const response = await fetch(`${url}/health/${path}`);
  assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

describe("the health of a service", () => {
  let cuttable: ProxiedService;
  let api: string;
  let worker: string;
  before(async () => {
    cuttable = await startTestService({ proxied: true, workers: 0 });
    api = cuttable.url;
    worker = (await cuttable.addWorker()).url;
  });
  after(() => cuttable.close());

  const becomes = (url: string, status: number, word: string) =>
    eventually(`${url} is ${word}`, async () => {
      const answer = await health(url, "ready");
      return answer.status === status && answer.body["status"] === word && answer.body;
    });

  it("is ok while all dependencies answer", async () => {
    for (const [url, names] of [
      [api, ["postgresql", "keys", "redis"]],
      [worker, ["postgresql", "redis", "queue"]],
    ] as const) {
      const body = await becomes(url, 200, "ok");
      for (const name of names) assert.equal(body[name], "ok", name);
    }
    for (const url of [api, worker])
      assert.deepEqual(await health(url, "live"), { status: 200, body: { status: "ok" } });
  });

  it("without Redis is degraded on an API and unavailable on a worker", async () => {
    cuttable.redis.down();
    const { redis, ...others } = await becomes(api, 200, "degraded");
    assert.deepEqual(
      [redis, others["postgresql"], others["keys"]],
      ["is unavailable; submitted jobs run when it returns", "ok", "ok"],
    );
    const { postgresql, queue, redis: ofWorker } = await becomes(worker, 503, "unavailable");
    assert.deepEqual([postgresql, ofWorker], ["ok", redis]);
    assert.ok(queue && queue !== "ok", queue);
    const person = await cuttable.person();
    const { id } = await person.enqueue("echo");
    assert.equal((await person.job(id))?.status, "PENDING");
    cuttable.redis.up();
    await becomes(api, 200, "ok");
    await becomes(worker, 200, "ok");
    assert.equal((await person.finished(id, 20_000)).status, "SUCCESS");
  });

  it("detects a Redis that hangs, on both, and the API accepts jobs", async () => {
    cuttable.redis.freeze();
    assert.equal(
      (await becomes(api, 200, "degraded"))["redis"],
      "does not answer; submitted jobs run when it does",
    );
    assert.equal(
      (await becomes(worker, 503, "unavailable"))["redis"],
      "does not answer; submitted jobs run when it does",
    );
    const person = await cuttable.person();
    const { id } = await person.enqueue("echo");
    assert.equal((await person.job(id))?.status, "PENDING");
    cuttable.redis.heal();
    await becomes(api, 200, "ok");
    await becomes(worker, 200, "ok");
    assert.equal((await person.finished(id, 20_000)).status, "SUCCESS");
  });

  it("without PostgreSQL is unavailable, with the reason, but still live", async () => {
    cuttable.postgres.down();
    for (const url of [api, worker]) {
      const { postgresql } = await becomes(url, 503, "unavailable");
      assert.equal(postgresql, "The database is unavailable; try again in a moment.");
      assert.deepEqual(await health(url, "live"), { status: 200, body: { status: "ok" } });
    }
    cuttable.postgres.up();
    await becomes(api, 200, "ok");
    await becomes(worker, 200, "ok");
  });

  it("requires that the migrations are applied", async () => {
    const empty = await createEmptyDatabase();
    const database = createDatabase({ url: empty.url, connections: 1, applicationName: "test" });
    assert.equal(
      await checkDatabase(database)(),
      "migrations are not applied: run npm run migrate",
    );
    await database.close();
    await empty.close();
  });
});
