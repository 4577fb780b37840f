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

  it("costs three statements, and none right after another", async () => {
    const person = await counted.person();
    // Connections are open before anything is counted.
    await Promise.all(Array.from({ length: 20 }, () => person.get("{ me { id } }")));
    assert.equal(
      await counted.statements(() => Promise.all([scrape(counted.url), scrape(counted.url)])),
      3,
    );
    assert.equal(await counted.statements(() => scrape(counted.url)), 0);
  });

  it("answers while PostgreSQL is away, and then says nothing of it rather than what was", async () => {
    const person = await counted.person();
    await person.enqueue("echo");
    await eventually(
      "the job is told",
      async () =>
        (await scrape(counted.url)).value("photos_queue_depth", { status: "PENDING" }) === 1,
    );
    counted.postgres.down();
    const away = await eventually("it is told as away", async () => {
      const now = await scrape(counted.url);
      return now.value("photos_dependency_up", { dependency: "postgresql" }) === 0 && now;
    });
    assert.ok(
      Number.isNaN(away.value("photos_queue_depth")) &&
        Number.isNaN(away.value("photos_queue_oldest_wait_seconds")),
      away.text,
    );
    assert.equal(away.value("photos_dependency_up", { dependency: "redis" }), 1);
    counted.postgres.up();
    await eventually(
      "it is back",
      async () =>
        (await scrape(counted.url)).value("photos_queue_depth", { status: "PENDING" }) === 1,
    );
  });
});

describe("a service without a password for operators", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ workers: 0 });
  });
  after(() => service.close());

  it("has no metrics", async () => {
    const answer = await fetch(`${service.url}/metrics`);
    assert.deepEqual(
      [answer.status, await answer.json()],
      [404, { code: "NOT_FOUND", message: "There is nothing here." }],
    );
  });
});
