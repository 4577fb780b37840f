// The page of the deliveries, with a receiver and a worker.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  SECRET,
  startReceiver,
  type TestReceiver,
} from "../../../support/clients/webhook-receiver.js";
import type { TestClient } from "../../../support/clients/test-client.js";
import { eventually } from "../../../support/runner/eventually.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const PATH = "/admin/webhooks";

describe("the page of webhooks", () => {
  let receiver: TestReceiver;
  let acting: TestService;
  let ann: TestClient;
  before(async () => {
    receiver = await startReceiver();
    acting = await startTestService({
      operated: true,
      env: { ADMIN_ACTIONS: "true", WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: SECRET },
    });
    ann = await acting.person({ email: "ann@example.test" });
  });
  beforeEach(() => {
    receiver.received.length = 0;
    receiver.answer = (response) => void response.writeHead(204).end();
  });
  after(() => Promise.all([acting?.close(), receiver?.close()]));
  const page = async () => (await acting.operator.get(PATH)).text;
  const act = async (path: string, fields: Record<string, string>) => {
    const answer = await acting.operator.post(`${PATH}${path}`, fields);
    assert.deepEqual([answer.status, answer.headers.get("location")], [303, PATH], answer.text);
  };
  const arrived = (count: number) =>
    eventually(`${count} webhooks arrive`, () => receiver.received.length >= count);
  const expirePauses = () =>
    acting.database.sql`update webhook_positions set due_at = now() where due_at is not null`;

  it("shows a failing user with the last answer, escaped, and redelivers", async () => {
    receiver.answer = (response) => void response.writeHead(500).end("<b>down</b>");
    await ann.finished((await ann.enqueue("echo")).id);
    await eventually("it is shown", async () => (await page()).includes("&lt;b&gt;down&lt;/b&gt;"));
    const text = await page();
    assert.match(text, /ann@example\.test/);
    assert.match(text, /<code>http_5xx<\/code> 1/);
    assert.ok(text.includes(new URL(receiver.url).origin));
    assert.doesNotMatch(text, /\/hook|whsec_/);
    receiver.answer = (response) => void response.writeHead(204).end();
    await act("/redeliver", { user: "ann@example.test", cursor: "" });
    await arrived(2);
    await eventually("nothing is wrong", async () => /There are none\./.test(await page()));
  });

  it("redelivers from a cursor what was delivered, in order", async () => {
    const cursor = await ann.cursor();
    for (let i = 0; i < 3; i++) await ann.finished((await ann.enqueue("echo", { message: i })).id);
    await arrived(3);
    const first = receiver.received.map(({ id }) => id);
    await act("/redeliver", { user: "ann@example.test", cursor });
    await arrived(6);
    assert.deepEqual(
      receiver.received.map(({ id }) => id),
      [...first, ...first],
    );
  });

  it("delivers to a new receiver what finished before its first start", async () => {
    const cursor = await ann.cursor();
    const { id } = await ann.enqueue("echo");
    await ann.finished(id);
    await arrived(1);
    await acting.database.sql`delete from webhook_positions`;
    await act("/redeliver", { user: "ann@example.test", cursor });
    await arrived(2);
    assert.equal(receiver.received[1]?.event.data.queuedJob.id, id);
  });

  it("pauses and resumes one user and all", async () => {
    await act("/pause", { user: "ann@example.test" });
    const bob = await acting.person({ sub: "bob", email: "bob@example.test" });
    await ann.finished((await ann.enqueue("echo")).id);
    await bob.finished((await bob.enqueue("echo")).id);
    await arrived(1);
    assert.equal(receiver.received[0]?.event.data.user["email"], "bob@example.test");
    await act("/pause", { user: "" });
    await act("/resume", { user: "ann@example.test" });
    await bob.finished((await bob.enqueue("echo")).id);
    await expirePauses();
    assert.match(await page(), /paused by admin/);
    assert.equal(receiver.received.length, 1);
    await act("/resume", { user: "" });
    await arrived(3);
  });

  it("answers what it cannot do with a sentence, and records what it did", async () => {
    await (await acting.person({ sub: "new", email: "new@example.test" })).cursor();
    for (const [fields, status, sentence] of [
      [{ user: "someone@example.test" }, 404, /No user has the e-mail address or id/],
      [{ user: "", cursor: "abc" }, 400, /name the user whose cursor this is/],
      [{ user: "ann@example.test", cursor: "abc" }, 400, /is not one of your cursors/],
      [{ user: "new@example.test" }, 404, /No webhook of this user has been due yet/],
    ] as const) {
      const answer = await acting.operator.post(`${PATH}/redeliver`, fields);
      assert.equal(answer.status, status);
      assert.match(answer.text, sentence);
    }
    const recorded = await acting.database.sql`
      select distinct action from operator_actions order by action`;
    assert.deepEqual(
      recorded.map(({ action }) => action as string),
      ["pause webhooks", "redeliver webhooks", "resume webhooks"],
    );
  });

  it("only shows without ADMIN_ACTIONS=true, and refuses other sites with it", async () => {
    const reading = await startTestService({ operated: true, workers: 0 });
    const { text } = await reading.operator.get(PATH);
    assert.doesNotMatch(text, /<form|<button/);
    assert.match(text, /No receiver is configured/);
    for (const path of ["/pause", "/resume", "/redeliver"]) {
      assert.equal((await reading.operator.post(`${PATH}${path}`, { user: "" })).status, 405, path);
      const headers = { "sec-fetch-site": "cross-site" };
      const answer = await acting.operator.post(`${PATH}${path}`, { user: "" }, headers);
      assert.equal(answer.status, 403, path);
    }
    await reading.close();
  });
});
