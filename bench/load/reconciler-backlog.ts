// Measures a pass of the reconciler over waiting rows that all have hints, and after how many
// passes it restores the one lost hint of a new row.
//   node dist/bench/load/reconciler-backlog.js [--rows 1000,1000000]
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import type { Sql } from "postgres";
import { startRedis } from "../../src/embedded/redis/start-redis.js";
import { createHintQueue, hintId } from "../../src/queue/hint-queue.js";
import { createLogger } from "../../src/runtime/logger.js";
import { createDispatcher } from "../../src/services/queued-jobs/dispatch.js";
import { createHintDue } from "../../src/services/queued-jobs/maintenance.js";
import { catalogue } from "../../src/tasks/catalogue.js";
import { HintSweep } from "../../src/worker/hint-sweep.js";
import { withLoadDatabase } from "./load-database.js";

const { values } = parseArgs({ options: { rows: { type: "string", default: "1000,1000000" } } });
const PREFIX = "{bench}";
const PASSES = 20;
const CHUNK = 10_000;
const log = createLogger({ name: "load", level: "error", pretty: false });
const say = (line: string) => process.stdout.write(`${line}\n`);

await withLoadDatabase(2, async ({ database, driver, folder }) => {
  const path = process.env["PATH"] ?? "";
  const store = await startRedis({ dataDir: join(folder, "redis"), log, path });
  const redis = new Redis(store.url);
  try {
    let rows = 0;
    for (const count of values.rows.split(",").map(Number)) {
      await fill(driver, redis, count - rows);
      rows = count;
      await measure(database.sql, { redis, redisUrl: store.url, rows });
    }
  } finally {
    redis.disconnect();
    await store.close();
  }
});

function keyOf(id: string, lane: string): string {
  return `${PREFIX}:tasks-in-${lane}:${hintId(id, 1)}`;
}

/** Adds waiting rows of 1000 users, and keys that look like their hints to a sweep. */
async function fill(sql: Sql, redis: Redis, count: number): Promise<void> {
  await sql`
    insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
      created_at)
    select md5('user' || i)::uuid, 'load', i, 'a@b.c', true, 'A', 0, now()
    from generate_series(0, 999) i on conflict do nothing`;
  for (let added = 0; added < count; added += CHUNK) {
    const rows = await insertRows(sql, Math.min(CHUNK, count - added), "thumbnail", 3600);
    const batch = redis.pipeline();
    for (const { id } of rows) batch.set(keyOf(id, "child"), "");
    await batch.exec();
  }
  await sql`vacuum analyze queued_jobs`;
}

function insertRows(sql: Sql, count: number, job: string, seconds: number) {
  return sql<{ id: string }[]>`
    insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
      due_at, created_at, updated_at, status)
    select gen_random_uuid(), md5('user' || i % 1000)::uuid, ${job}, '{}', 0, 0, 'seed',
      now() - ${seconds} * random() * interval '1 second', now(), now() - interval '6 seconds',
      'PENDING'
    from generate_series(1, ${count}) i returning id`;
}

async function measure(
  sql: Sql,
  { redis, redisUrl, rows }: { redis: Redis; redisUrl: string; rows: number },
): Promise<void> {
  const hints = createHintQueue({ redisUrl, prefix: PREFIX, log });
  const cancellations = { publish: () => {} };
  const dispatcher = createDispatcher({ sql, hints, cancellations, catalogue, log });
  const sweep = new HintSweep(createHintDue({ sql, dispatcher, catalogue, log }));
  while (await hints.hasForgotten()) await pause(10);
  const pass = async () => (await sweep.run()) + (await sweep.runRecent());
  const beganAt = performance.now();
  let missing = 0;
  do missing += await pass();
  while (sweep.underWay);
  const all = performance.now() - beganAt;
  const cpu = process.cpuUsage();
  const passesAt = performance.now();
  for (let i = 0; i < PASSES; i++) missing += await pass();
  const ms = (performance.now() - passesAt) / PASSES;
  const { user, system } = process.cpuUsage(cpu);
  say(`${rows} rows, ${missing} without a hint: all are checked in ${Math.round(all)} ms; a pass`);
  say(
    `  takes ${ms.toFixed(1)} ms, ${((user + system) / 1000 / PASSES).toFixed(1)} ms of CPU here`,
  );
  const [lost] = await insertRows(sql, 1, "echo", 1);
  let passes = 0;
  while ((await redis.exists(keyOf(lost?.id ?? "", "worker"))) === 0) {
    passes++;
    await pass();
  }
  say(`  the lost hint of a new row is restored by pass ${passes}`);
  await hints.close();
}
