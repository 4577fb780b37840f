// Two worker processes deliver a backlog, and one of them is killed in the middle.
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import {
  SECRET,
  startReceiver,
  type TestReceiver,
} from "../../support/clients/webhook-receiver.js";
import { eventually } from "../../support/runner/eventually.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";
import { testRedis } from "../../support/stores/test-redis.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { startWorkerProcess } from "../worker-process.js";

const [USERS, EVENTS] = [6, 20];

let services: TestServices;
let receiver: TestReceiver;
const folder = temporaryFolder().path;
before(async () => {
  [services, receiver] = await Promise.all([createTestServices(), startReceiver()]);
});
after(() => Promise.all([services?.close(), receiver?.close()]));

it("a backlog arrives in order when a worker is killed, with one repeat per user at most", async () => {
  const { sql } = services.database;
  await sql`insert into webhook_receivers (id, started_at) values (1, 'epoch')`;
  const made = new Map<string, string[]>();
  for (let i = 0; i < USERS; i++) {
    const user = await services.newUser();
    const ids: string[] = [];
    for (let k = 0; k < EVENTS; k++) ids.push((await services.finished(user)).id);
    made.set(user.id, ids);
  }
  receiver.answer = (response) => void setTimeout(() => response.writeHead(204).end(), 30);
  const start = () =>
    startWorkerProcess({
      DATABASE_URL: services.url,
      REDIS_URL: Object.assign(new URL(testRedis().url), { pathname: "/5" }).href,
      STORAGE_URL: `file:${folder}`,
      FILE_SIGNING_KEY: "a-signing-key-for-tests-0123456789abcdef",
      WEBHOOK_URL: receiver.url,
      WEBHOOK_SECRET: SECRET,
    });
  const doomed = await start();
  await eventually("some arrive", () => receiver.received.length >= USERS * 2);
  doomed.kill("SIGKILL");
  await doomed.ended();
  // The lease and the search would otherwise stay with it for a while.
  await sql`update webhook_positions set leased_until = now() where holder is not null`;
  await sql`update duties set held_until = now()`;
  const next = await start();
  await eventually(
    "all are delivered",
    async () => {
      const [row] = await sql`select count(*)::int as left from webhook_positions
        where due_at is not null`;
      return row?.["left"] === 0 && receiver.received.length >= USERS * EVENTS;
    },
    60_000,
  );
  next.kill("SIGTERM");
  assert.equal((await next.ended()).code, 0);
  for (const [userId, ids] of made) {
    const theirs = receiver.received.filter(({ event }) => event.data.user["id"] === userId);
    const arrived = theirs.map(({ event }) => event.data.queuedJob.id);
    assert.deepEqual(
      arrived.filter((id, i) => id !== arrived[i - 1]),
      ids,
    );
    assert.ok(arrived.length <= EVENTS + 1, `${arrived.length} attempts of ${EVENTS}`);
  }
});
