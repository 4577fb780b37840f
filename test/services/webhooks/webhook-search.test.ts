import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { User } from "../../../src/services/users/users.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";
import { createWebhookScene, type WebhookScene } from "./webhook-scene.js";

const UNUSED = { url: "http://127.0.0.1:1/" };

describe("the search for undelivered events", () => {
  let services: TestServices;
  let scene: WebhookScene;
  let user: User;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    await services.database.sql`truncate users, queued_job_events, webhook_receivers cascade`;
    user = await services.newUser();
  });
  after(() => services.close());
  const taken = async () => (await scene.take()).map(({ events }) => events.map(({ seq }) => seq));
  const forget = () => services.database.sql`
    update webhook_positions set holder = null, leased_until = null, due_at = null`;

  it("begins at the first start with a receiver, also for users of before", async () => {
    await services.finished(user);
    scene = await createWebhookScene(services, UNUSED);
    await scene.find();
    assert.deepEqual(await taken(), []);
    await services.finished(user);
    await services.finished(await services.newUser());
    await scene.find();
    assert.deepEqual((await taken()).toSorted(), [[3], [6]]);
    // A later start does not move the beginning.
    await forget();
    await createWebhookScene(services, UNUSED).then((next) => next.find());
    assert.deepEqual((await taken()).toSorted(), [[3], [6]]);
  });

  it("finds what has just finished, and not what is delivered", async () => {
    scene = await createWebhookScene(services, UNUSED);
    await scene.find();
    await services.submit(user);
    await scene.find();
    assert.deepEqual(await taken(), []);
    await services.finished(user);
    await scene.find();
    const [held] = await scene.take();
    assert.ok(held);
    await scene.positions.advance({
      userId: user.id,
      holder: held.holder,
      seq: held.lastSeq ?? 0,
      missed: 0,
      status: 204,
      next: "none",
      waitingSince: null,
    });
    await scene.find();
    assert.deepEqual(await taken(), []);
  });

  it("finds the end of a row that does not expire yet, as in a group", async () => {
    scene = await createWebhookScene(services, UNUSED);
    await scene.find();
    await services.finished(user);
    await services.database.sql`update queued_jobs set expires_at = null`;
    await scene.find();
    assert.deepEqual(await taken(), [[3]]);
  });

  it("finds by its check of all users what the index does not show", async () => {
    scene = await createWebhookScene(services, UNUSED);
    await services.finished(user);
    await services.database.sql`update queued_jobs set expires_at = now() + interval '9 days'`;
    await scene.find();
    assert.deepEqual(await taken(), [[3]]);
  });

  it("does not end a lease, and finds again what was added during one", async () => {
    scene = await createWebhookScene(services, UNUSED);
    await services.finished(user);
    await scene.find();
    const [held] = await scene.take();
    assert.ok(held);
    await services.finished(user);
    await scene.find();
    assert.deepEqual(await taken(), []);
    await scene.positions.advance({
      userId: user.id,
      holder: held.holder,
      seq: held.lastSeq ?? 0,
      missed: 0,
      status: 204,
      next: "none",
      waitingSince: null,
    });
    await scene.find();
    assert.deepEqual(await taken(), [[6]]);
  });

  it("reads an index, in a plan without a scan of all rows", async () => {
    const plan = await services.database.sql`
      explain select user_id, finished_at from queued_jobs
      where expires_at > clock_timestamp() + interval '3590 seconds'
        and expires_at <= clock_timestamp() + interval '3601 seconds'
      union all select user_id, finished_at from queued_jobs
      where finished_at > clock_timestamp() - interval '10 seconds' and expires_at is null`;
    const text = plan.map((row) => row["QUERY PLAN"]).join("\n");
    assert.match(text, /queued_jobs_expiry/);
    assert.match(text, /queued_jobs_without_expiry/);
    assert.doesNotMatch(text, /Seq Scan/);
  });
});
