// From a submission to the receiver, while workers and the receiver are killed.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { decodeStreamCursor } from "../../../src/domain/cursors.js";
import {
  SECRET,
  startReceiver,
  type ReceivedWebhook,
  type TestReceiver,
} from "../../support/clients/webhook-receiver.js";
import { eventually } from "../../support/runner/eventually.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

describe("webhooks", () => {
  let receiver: TestReceiver;
  let service: TestService;
  before(async () => {
    receiver = await startReceiver();
    service = await startTestService({
      workers: 2,
      env: { WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: SECRET },
    });
  });
  after(() => Promise.all([service?.close(), receiver?.close()]));
  const of = (id: string): ReceivedWebhook | undefined =>
    receiver.received.find(({ event }) => event.data.queuedJob.id === id);
  const arrivedOf = async (id: string): Promise<ReceivedWebhook> => {
    await eventually("the webhook arrives", () => of(id) !== undefined);
    const webhook = of(id);
    assert.ok(webhook);
    return webhook;
  };

  it("report what a subscription reports, with URLs that are valid for a day", async () => {
    const ann = await service.person({ email: "ann@example.test" });
    const photo = (await ann.upload(smallPhoto(60, 40), { type: "image/png" })).json as {
      id: string;
    };
    const stream = ann.events({ after: await ann.cursor() });
    const { id } = await ann.enqueue("thumbnail", { widths: [32] }, { photoIds: [photo.id] });
    const end = await stream.next("the end", ({ type }) => type === "SUCCEEDED");
    stream.stop();
    const { event, headers } = await arrivedOf(id);
    assert.equal(event.type, "queued-job.succeeded");
    assert.equal(event.data.cursor, end.cursor);
    assert.match(headers["user-agent"] ?? "", /^photo-service\/\d/);
    const [output] = event.data.queuedJob["outputs"] as { name: string; url: string }[];
    assert.equal(output?.name, "32w.webp");
    const url = new URL(output?.url ?? "", service.url);
    const leftSeconds = Number(url.searchParams.get("exp")) - Date.now() / 1000;
    assert.ok(leftSeconds > 86_000 && leftSeconds < 88_000, `${leftSeconds}`);
    assert.equal((await fetch(url)).status, 200);
  });

  it("arrive in order for each user, with few repeats, through failures and restarts", async () => {
    receiver.received.length = 0;
    const people = await Promise.all(
      ["a", "b", "c"].map((sub) => service.person({ sub, email: `${sub}@example.test` })),
    );
    let count = 0;
    receiver.answer = (response) => {
      // Every fifth answer is lost, and every seventh is an error.
      if (++count % 5 === 0) return void response.destroy();
      response.writeHead(count % 7 === 0 ? 503 : 204, { "retry-after": "0" }).end();
    };
    const expirePauses = setInterval(
      () =>
        void service.database
          .sql`update webhook_positions set due_at = now() where attempts > 0`.catch(() => {}),
      200,
    );
    const added = await service.addWorker();
    const ids = await Promise.all(
      people.map(async (person) => {
        const made: string[] = [];
        for (let i = 0; i < 8; i++) made.push((await person.enqueue("echo")).id);
        return made;
      }),
    );
    await added.close();
    for (const [i, person] of people.entries())
      for (const id of ids[i] ?? []) await person.finished(id);
    await eventually("all are delivered", async () => {
      const [row] = await service.database.sql`
        select count(*)::int as done from webhook_positions p join user_streams s using (user_id)
        join users u on u.id = s.user_id
        where p.seq = s.last_seq and u.email in ('a@example.test', 'b@example.test', 'c@example.test')`;
      return row?.["done"] === people.length;
    });
    clearInterval(expirePauses);
    for (const i of people.keys()) {
      const email = `${["a", "b", "c"][i]}@example.test`;
      const mine = receiver.received.filter(({ event }) => event.data.user["email"] === email);
      const cursors = [...new Set(mine.map(({ event }) => event.data.cursor))];
      assert.equal(cursors.length, 8);
      // A repeat follows the attempt that it repeats, so that first arrivals are in order.
      assert.deepEqual(
        mine.map(({ event }) => cursors.indexOf(event.data.cursor)),
        mine.map(({ event }) => cursors.indexOf(event.data.cursor)).toSorted((a, b) => a - b),
      );
      const userId = mine[0]?.event.data.user["id"] ?? "";
      const numbers = cursors.map((cursor) => decodeStreamCursor(cursor, userId).seq);
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
    }
    assert.ok(receiver.received.length < 24 * 2, `${receiver.received.length} attempts`);
    assert.doesNotMatch(JSON.stringify(service.logged), /whsec_|\/hook/);
  });

  it("delay nothing while the receiver hangs", async () => {
    const dora = await service.person({ sub: "dora", email: "dora@example.test" });
    receiver.answer = () => {};
    const first = await dora.enqueue("echo");
    await dora.finished(first.id);
    await arrivedOf(first.id);
    const startedAt = performance.now();
    for (let i = 0; i < 5; i++) await dora.finished((await dora.enqueue("echo")).id);
    assert.ok(performance.now() - startedAt < 5000);
    const ready = await fetch(`${service.url}/health/ready`);
    assert.equal(ready.status, 200);
  });
});
