import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { createDuties } from "../../src/services/maintenance/duties.js";
import { WebhookSender } from "../../src/worker/webhook-sender.js";
import { createWebhookScene, type WebhookScene } from "../services/webhooks/webhook-scene.js";
import { startReceiver, type TestReceiver } from "../support/clients/webhook-receiver.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { createTestServices, type TestServices } from "../support/service/test-services.js";

describe("the sender of webhooks", () => {
  let services: TestServices;
  let receiver: TestReceiver;
  let scene: WebhookScene;
  before(async () => {
    [services, receiver] = await Promise.all([createTestServices(), startReceiver()]);
  });
  beforeEach(async () => {
    await services.database
      .sql`truncate users, queued_job_events, webhook_receivers, duties cascade`;
    receiver.received.length = 0;
    scene = await createWebhookScene(services, receiver, { timeoutMs: 30_000 });
  });
  after(() => Promise.all([services.close(), receiver.close()]));

  const start = (worker: string) =>
    new WebhookSender({
      ...scene,
      readEpoch: async () => "0123456789abcdef",
      duties: createDuties(services.database),
      worker,
      log: silentLog,
      intervalMs: 50,
    });
  const finishFor = async (count: number) => {
    for (let i = 0; i < count; i++) await services.finished(await services.newUser());
  };

  it("serves more users than one worker serves at once, beside a second worker", async () => {
    await finishFor(40);
    receiver.answer = (response) => void setTimeout(() => response.writeHead(204).end(), 20);
    const senders = [start("a"), start("b")];
    await eventually("all are delivered", () => receiver.received.length >= 40);
    // A job that finishes later is found by the search.
    await finishFor(1);
    await eventually("the last one is delivered", () => receiver.received.length >= 41);
    await Promise.all(senders.map((sender) => sender.close()));
    assert.equal(new Set(receiver.received.map(({ id }) => id)).size, 41);
    assert.equal(receiver.received.length, 41);
  });

  it("gives its leases back when it closes, also while the receiver hangs", async () => {
    const user = await services.newUser();
    await services.finished(user);
    receiver.answer = () => {};
    const sender = start("a");
    await eventually("it is sent", () => receiver.received.length === 1);
    const startedAt = performance.now();
    await sender.close();
    assert.ok(performance.now() - startedAt < 6000);
    const { seq, attempts, due, holder } = await scene.position(user.id);
    assert.deepEqual([seq, attempts, due, holder], [0, 0, true, null]);
  });

  it("takes the search over from a worker that died", async () => {
    const dead = createDuties(services.database);
    await dead.hold("webhooks", "dead", 1);
    await finishFor(1);
    const sender = start("a");
    await eventually("it is delivered", () => receiver.received.length === 1);
    await sender.close();
  });
});
