import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../../support/runner/eventually.js";
import { OPERATOR_PASSWORD, scrape } from "../../../support/clients/scrape.js";
import {
  startTestService,
  type ProxiedService,
  type TestService,
} from "../../../support/service/test-service.js";

describe("a scrape", () => {
  let counted: ProxiedService;
  before(async () => {
    counted = await startTestService({
      proxied: true,
      workers: 0,
      env: { ADMIN_PASSWORD: OPERATOR_PASSWORD },
    });
  });
  after(() => counted.close());

  it("costs five statements, and none right after another scrape", async () => {
    const person = await counted.person();
    // Open the connections before counting.
    await Promise.all(Array.from({ length: 20 }, () => person.get("{ me { id } }")));
    assert.equal(
      await counted.statements(() => Promise.all([scrape(counted.url), scrape(counted.url)])),
      5,
    );
    assert.equal(await counted.statements(() => scrape(counted.url)), 0);
  });

  it("answers without PostgreSQL, with NaN instead of stale values", async () => {
    const person = await counted.person();
    await person.enqueue("echo");
    await eventually(
      "the job is counted",
      async () =>
        (await scrape(counted.url)).value("photos_queue_depth", { status: "PENDING" }) === 1,
    );
    counted.postgres.down();
    const metrics = await eventually("PostgreSQL is reported as down", async () => {
      const now = await scrape(counted.url);
      return now.value("photos_dependency_up", { dependency: "postgresql" }) === 0 && now;
    });
    assert.ok(
      Number.isNaN(metrics.value("photos_queue_depth")) &&
        Number.isNaN(metrics.value("photos_queue_oldest_wait_seconds")),
      metrics.text,
    );
    assert.equal(metrics.value("photos_dependency_up", { dependency: "redis" }), 1);
    counted.postgres.up();
    await eventually(
      "the job is counted again",
      async () =>
        (await scrape(counted.url)).value("photos_queue_depth", { status: "PENDING" }) === 1,
    );
  });
});

describe("a service without an admin password", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ workers: 0 });
  });
  after(() => service.close());

  it("has no metrics", async () => {
    const answer = await fetch(`${service.url}/metrics`);
    assert.deepEqual(
      [answer.status, await answer.json()],
      [404, { code: "NOT_FOUND", message: "Not found: no route has this method and path." }],
    );
  });
});
