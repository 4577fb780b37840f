import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { pauseAfter } from "../../../src/services/webhooks/webhook-deliveries.js";
import type { User } from "../../../src/services/users/users.js";
import {
  startReceiver,
  type AnswerWebhook,
  type TestReceiver,
} from "../../support/clients/webhook-receiver.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";
import { createWebhookScene, type WebhookScene } from "./webhook-scene.js";

const FAULT = { code: "TASK_FAILED", message: "no", permanent: true };

describe("the deliveries of webhooks", () => {
  let services: TestServices;
  let receiver: TestReceiver;
  let scene: WebhookScene;
  let user: User;
  before(async () => {
    [services, receiver] = await Promise.all([createTestServices(), startReceiver()]);
  });
  beforeEach(async () => {
    await services.database.sql`truncate users, queued_job_events, webhook_receivers cascade`;
    receiver.received.length = 0;
    receiver.answer = with204;
    scene = await createWebhookScene(services, receiver);
    user = await services.newUser();
  });
  after(() => Promise.all([services.close(), receiver.close()]));

  const with204: AnswerWebhook = (response) => void response.writeHead(204).end();
  const withStatus =
    (status: number, headers: Record<string, string> = {}): AnswerWebhook =>
    (response) =>
      void response.writeHead(status, headers).end("an answer");
  const ids = () => receiver.received.map(({ event }) => event.data.queuedJob.id);
  const finishMany = async (count: number, someone = user) => {
    const made: string[] = [];
    for (let i = 0; i < count; i++) made.push((await services.finished(someone)).id);
    return made;
  };

  it("report each end once, in the order of the log, with the user's identity", async () => {
    const first = await services.finished(user);
    const failed = await services.start(await services.submit(user));
    await services.queuedJobs.fail(failed, FAULT);
    const waiting = await services.submit(user);
    await services.queuedJobs.cancel(user, waiting.id);
    await scene.round();
    await scene.round();
    assert.deepEqual(ids(), [first.id, failed.id, waiting.id]);
    assert.deepEqual(
      receiver.received.map(({ event }) => [event.type, event.data.queuedJob["status"]]),
      [
        ["queued-job.succeeded", "SUCCESS"],
        ["queued-job.failed", "FAILED"],
        ["queued-job.cancelled", "CANCELLED"],
      ],
    );
    const { id, email } = user;
    const subject = receiver.received[0]?.event.data.user["subject"];
    assert.deepEqual(receiver.received[0]?.event.data.user, { id, issuer: "test", subject, email });
    assert.deepEqual(await scene.position(user.id).then(({ seq, due }) => [seq, due]), [8, false]);
    assert.equal(await scene.round(), 0);
  });

  it("go on over several pages, and let other users have their turn between them", async () => {
    const made = await finishMany(60);
    const other = await services.newUser();
    const [theirs] = await finishMany(1, other);
    await scene.find();
    const order: string[] = [];
    for (let taken = await scene.take(1); taken.length > 0; taken = await scene.take(1)) {
      order.push(...taken.map((held) => held.user.id));
      await Promise.all(taken.map(scene.deliver));
    }
    assert.deepEqual(order.slice(0, 2).toSorted(), [user.id, other.id].toSorted());
    assert.deepEqual(order.slice(2), [user.id, user.id]);
    assert.deepEqual(
      ids().filter((id) => id !== theirs),
      made,
    );
  });

  it("send the next event only after a 2xx, and repeat with the same id", async () => {
    const [first, second] = await finishMany(2);
    receiver.answer = withStatus(500);
    await scene.round();
    assert.deepEqual(ids(), [first]);
    const position = await scene.position(user.id);
    assert.deepEqual(
      [position["seq"], position["attempts"], position["status"], position["body"]],
      [0, 1, 500, "an answer"],
    );
    assert.ok(Math.abs(Number(position["pause"]) - 5) < 0.5);
    assert.equal(await scene.round(), 0);

    receiver.answer = with204;
    await scene.expirePauses();
    await scene.round();
    assert.deepEqual(ids(), [first, first, second]);
    assert.equal(receiver.received[0]?.id, receiver.received[1]?.id);
    assert.notEqual(receiver.received[1]?.id, receiver.received[2]?.id);
    assert.equal((await scene.position(user.id))["attempts"], 0);
  });

  it("wait twice as long after each failure, up to an hour", () => {
    assert.deepEqual(
      [0, 1, 2, 9, 10, 1000].map((attempts) => pauseAfter(attempts, 0) / 1000),
      [5, 10, 20, 2560, 3600, 3600],
    );
    assert.equal(pauseAfter(0, 1), 5500);
  });

  it("pause a user after three days of failures", async () => {
    await finishMany(1);
    receiver.answer = withStatus(500);
    await scene.round();
    const { sql } = services.database;
    await sql`update webhook_positions set failing_since = now() - interval '73 hours'`;
    await scene.expirePauses();
    await scene.round();
    assert.equal((await scene.position(user.id))["paused"], true);
    await scene.expirePauses();
    await finishMany(1);
    await scene.round();
    assert.equal(receiver.received.length, 2);
  });

  it("stop for all users after a 410", async () => {
    const other = await services.newUser();
    await finishMany(1);
    receiver.answer = withStatus(410);
    await scene.round();
    receiver.answer = with204;
    await finishMany(1, other);
    await scene.expirePauses();
    await scene.round();
    assert.equal(receiver.received.length, 1);
    const rows = await services.database.sql`select paused_by from webhook_receivers`;
    assert.deepEqual([...rows], [{ paused_by: "the receiver: 410 Gone" }]);
  });

  it("wait for all users as long as retry-after says", async () => {
    const other = await services.newUser();
    await finishMany(1);
    receiver.answer = withStatus(429, { "retry-after": "30" });
    await scene.round();
    assert.ok(Math.abs(Number((await scene.position(user.id))["pause"]) - 30) < 0.5);
    receiver.answer = with204;
    await finishMany(1, other);
    await scene.expirePauses();
    assert.equal(await scene.round(), 0);
    await services.database.sql`update webhook_receivers set hold_until = now()`;
    await scene.round();
    assert.equal(receiver.received.length, 3);
  });

  it("leave a user alone whose lease another worker took over", async () => {
    const made = await finishMany(3);
    await scene.find();
    const [slow] = await scene.take();
    assert.ok(slow);
    assert.deepEqual(await scene.take(), []);
    const { sql } = services.database;
    receiver.answer = async (response) => {
      if (receiver.received.length === 1) {
        await sql`update webhook_positions set leased_until = now() - interval '1 second'`;
        await Promise.all((await scene.take()).map(scene.deliver));
      }
      response.writeHead(204).end();
    };
    await scene.deliver(slow);
    // The frozen worker's event is repeated by the other one, and it sends no further one.
    assert.deepEqual(ids(), [made[0], ...made]);
    assert.equal((await scene.position(user.id))["seq"], 9);
  });

  it("stop in the middle of a page when all are paused, and go on after the pause", async () => {
    const made = await finishMany(3);
    const { sql } = services.database;
    receiver.answer = async (response) => {
      await sql`update webhook_receivers set paused_at = now()`;
      response.writeHead(204).end();
    };
    await scene.round();
    const { seq, due, holder } = await scene.position(user.id);
    assert.deepEqual([ids().length, seq, due, holder], [1, 3, true, null]);
    receiver.answer = with204;
    await sql`update webhook_receivers set paused_at = null`;
    await scene.round();
    assert.deepEqual(ids(), made);
  });

  it("look again after a slow receiver, without another search", async () => {
    const [first] = await finishMany(1);
    let second: string | undefined;
    receiver.answer = async (response) => {
      [second] = await finishMany(1);
      setTimeout(() => response.writeHead(204).end(), 1000);
    };
    await scene.find();
    await Promise.all((await scene.take()).map(scene.deliver));
    receiver.answer = with204;
    await Promise.all((await scene.take()).map(scene.deliver));
    assert.deepEqual(ids(), [first, second]);
  });

  it("report only the configured types, and move on over the others", async () => {
    const failures = await createWebhookScene(services, receiver, { events: ["FAILED"] });
    await finishMany(2);
    const failed = await services.start(await services.submit(user));
    await services.queuedJobs.fail(failed, FAULT);
    await failures.round();
    assert.deepEqual(ids(), [failed.id]);
    assert.equal(await failures.round(), 0);
  });

  it("report a QueuedJob that was deleted before, once, and no other deleted one", async () => {
    const reported = await services.finished(user);
    await scene.round();
    const lost = await services.finished(user);
    await services.queuedJobs.remove(user, reported.id);
    await services.queuedJobs.remove(user, lost.id);
    // The index does not show a row that was deleted at once, but the check of all users finds it.
    await scene.search.begin();
    await scene.round();
    await scene.round();
    assert.deepEqual(ids(), [reported.id, lost.id]);
    assert.equal(receiver.received[1]?.id, `evt_${lost.id}_3`);
    assert.equal(receiver.received[1]?.event.type, "queued-job.succeeded");
  });

  it("skip what expired, count it, and go on", async () => {
    const [, second] = await finishMany(2);
    await scene.find();
    const { sql } = services.database;
    await sql`delete from queued_job_events where user_id = ${user.id} and seq <= 3`;
    await sql`update user_streams set floor_seq = 3 where user_id = ${user.id}`;
    await scene.round();
    assert.deepEqual(ids(), [second]);
    assert.equal((await scene.position(user.id))["missed"], 3);
  });

  it("end for a closed account", async () => {
    await finishMany(1);
    await scene.find();
    await services.database.sql`delete from user_streams where user_id = ${user.id}`;
    await scene.round();
    assert.deepEqual([receiver.received, await scene.position(user.id)], [[], {}]);
  });

  it("make those who failed in an outage due at its end, and no others", async () => {
    const { sql } = services.database;
    const [other, third] = [await services.newUser(), await services.newUser()];
    for (const someone of [user, other]) await finishMany(1, someone);
    receiver.answer = withStatus(500);
    await scene.round();
    await sql`update webhook_receivers set last_success_at = now() - interval '1 minute'`;
    await sql`update webhook_positions set due_at = now() + interval '1 hour',
      failing_since = now() - case when user_id = ${other.id} then interval '2 minutes'
        else interval '30 seconds' end`;
    receiver.answer = with204;
    receiver.received.length = 0;
    const [last] = await finishMany(1, third);
    await scene.round();
    assert.equal(receiver.received.length, 2);
    assert.equal(ids()[0], last);
    assert.equal(receiver.received[1]?.event.data.user["id"], user.id);
  });
});
