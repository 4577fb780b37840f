// Measures how fast a backlog of webhooks is delivered, while the receiver is killed now and then,
// and checks that each event arrives, in order for each user.
//   node dist/bench/load/webhook-backlog.js [--users 1000] [--events 1000] [--kills 0] ...
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Database } from "../../src/db/database.js";
import { createLogger } from "../../src/runtime/logger.js";
import { createDuties } from "../../src/services/maintenance/duties.js";
import { createWebhookDeliveries } from "../../src/services/webhooks/webhook-deliveries.js";
import { createSigner } from "../../src/services/webhooks/webhook-messages.js";
import { createWebhookPositions } from "../../src/services/webhooks/webhook-positions.js";
import { createWebhookReceiver } from "../../src/services/webhooks/webhook-receiver.js";
import { createWebhookRequests } from "../../src/services/webhooks/webhook-requests.js";
import { createWebhookSearch } from "../../src/services/webhooks/webhook-search.js";
import { WebhookSender } from "../../src/worker/webhook-sender.js";
import type { CountedWebhooks } from "./counting-receiver.js";
import { withLoadDatabase } from "./load-database.js";

const { values } = parseArgs({
  options: {
    users: { type: "string", default: "1000" },
    events: { type: "string", default: "1000" },
    senders: { type: "string", default: "1" },
    kills: { type: "string", default: "0" },
  },
});
const [users, events, senders, kills] = [
  Number(values.users),
  Number(values.events),
  Number(values.senders),
  Number(values.kills),
];
const SECRET = `whsec_${Buffer.alloc(32).toString("base64")}`;
const log = createLogger({ name: "load", level: "error", pretty: false });
const say = (line: string) => process.stdout.write(`${line}\n`);

await withLoadDatabase(8, async ({ database }) => {
  await fill(database);
  await run(database);
});

/** Each user has events of finished jobs, numbered from 1, with the number as their result. */
async function fill({ sql }: Database): Promise<void> {
  await sql`insert into webhook_receivers (id, started_at) values (1, now())`;
  await sql`
    insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
      created_at)
    select gen_random_uuid(), 'load', i, 'a@b.c', true, 'A', 0, now()
      from generate_series(1, ${users}) i`;
  await sql`insert into user_streams (user_id, last_seq) select id, ${events} from users`;
  for (let first = 1; first <= events; first += 20)
    await sql`
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
      select u.id, i, gen_random_uuid(), 'SUCCEEDED', now(), jsonb_build_object('id',
        gen_random_uuid(), 'jobName', 'echo', 'status', 'SUCCESS', 'parameters', '{}'::jsonb,
        'result', i, 'outputs', '[]'::jsonb, 'error', null, 'version', 3, 'attempts', 1,
        'createdAt', rfc3339(now()), 'startedAt', rfc3339(now()), 'finishedAt', rfc3339(now())), 400
      from users u, generate_series(${first}::int, ${Math.min(events, first + 19)}::int) i`;
  say(`${users} users with ${events} events each`);
}

function createSender(database: Database, url: string, name: string): WebhookSender {
  const positions = createWebhookPositions(database);
  return new WebhookSender({
    positions,
    deliveries: createWebhookDeliveries({
      positions,
      receiver: createWebhookReceiver(database),
      requests: createWebhookRequests({ url, userAgent: "load" }),
      sign: createSigner([SECRET]),
      fileUrls: { urlOf: async () => "" },
      events: ["SUCCEEDED"],
      log,
    }),
    search: createWebhookSearch({ database, jobTtlSeconds: 86_400 }),
    readEpoch: async () => "0123456789abcdef",
    duties: createDuties(database),
    worker: name,
    log,
  });
}

async function run(database: Database): Promise<void> {
  const receiver = fork(fileURLToPath(new URL("counting-receiver.js", import.meta.url)));
  const ask = <Answer>(question: "listen" | "kill" | "count") =>
    new Promise<Answer>((resolve) => {
      receiver.once("message", (answer) => resolve(answer as Answer));
      receiver.send(question);
    });
  const url = await ask<string>("listen");
  const startedAt = performance.now();
  const open = Array.from({ length: senders }, (_, i) => createSender(database, url, `load-${i}`));
  for (let left = kills; left > 0; left--) {
    await pause(500);
    await ask("kill");
  }
  let counted = await ask<CountedWebhooks>("count");
  for (; counted.different < users * events; counted = await ask<CountedWebhooks>("count")) {
    say(`${counted.different} delivered after ${Math.round(performance.now() - startedAt)} ms`);
    await pause(2000);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await Promise.all(open.map((sender) => sender.close()));
  say(
    `${counted.different} delivered in ${seconds.toFixed(1)} s: ` +
      `${Math.round(counted.different / seconds)} per second; ${counted.repeated} repeated, ` +
      `${counted.disordered} out of order, ${kills} kills of the receiver`,
  );
  if (counted.disordered > 0) process.exitCode = 1;
  receiver.disconnect();
}
