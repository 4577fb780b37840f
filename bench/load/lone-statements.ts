// Measures a step of one row with its single-row statement, with the batch statement, and as part
// of a batch. It also measures the overhead of the deadline and of the routing of statements.
//   node dist/bench/load/lone-statements.js [--rounds 300] [--rows 40]
import { parseArgs } from "node:util";
import type { Sql } from "postgres";
import { v7 as uuidv7 } from "uuid";
import { withDeadline } from "../../src/runtime/deadline.js";
import { claim, claimMany } from "../../src/services/queued-jobs/claim.js";
import {
  insertOne,
  insertUnits,
  type AcceptLimits,
  type NewQueuedJob,
} from "../../src/services/queued-jobs/insert.js";
import { succeed, succeedMany } from "../../src/services/queued-jobs/success.js";
import { withLoadDatabase } from "./load-database.js";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "300" },
    rows: { type: "string", default: "40" },
  },
});
const [ROUNDS, ROWS] = [Number(values.rounds), Number(values.rows)];
const LIMITS: AcceptLimits = { maxPending: 1_000_000, maxRecordedBytes: 1e12 };
const TTL_SECONDS = 86_400;
const PLAIN = { outputs: [], reusedFrom: null, resultVersion: null, maxStoredBytes: 1e12 };

/** Milliseconds per round, by the name of the measurement. */
const times = new Map<string, number[]>();

await withLoadDatabase(1, ({ database, driver }) => run(database.sql, driver));

async function run(sql: Sql, driver: Sql): Promise<void> {
  const userId = await newUser(sql);
  for (let round = 0; round < ROUNDS; round++) {
    await timeSteps(sql, 1, "single-row statement", alone(sql, userId));
    await timeSteps(sql, 1, "batch statement with one row", together(sql, userId));
    await timeSteps(sql, ROWS, `batch statement with ${ROWS} rows`, together(sql, userId));
    await timed("select 1, only the driver", 1, () => driver`select 1`);
    await timed("select 1, routed", 1, () => sql`select 1`);
    const late = () => null;
    await timed("select 1, routed, within a deadline", 1, () =>
      withDeadline(async () => sql`select 1`, 10_000, late),
    );
  }
  for (const [what, ms] of times) {
    const median = ms.toSorted((a, b) => a - b)[Math.floor(ms.length / 2)] ?? 0;
    process.stdout.write(`${what}: ${Math.round(1000 * median)} µs\n`);
  }
}

interface Steps {
  insert(items: NewQueuedJob[]): Promise<unknown>;
  claim(ids: string[]): Promise<unknown>;
  succeed(ids: string[]): Promise<unknown>;
}

function claimOf(id: string) {
  return { id, run: 1, worker: "bench" };
}

function successOf(id: string) {
  return { id, attempt: 1, result: '{"message":"hello"}' };
}

function alone(sql: Sql, userId: string): Steps {
  const limits = { ...PLAIN, maxRecordedBytes: LIMITS.maxRecordedBytes, ttlSeconds: TTL_SECONDS };
  return {
    insert: async ([item]) => item && insertOne(sql, { userId, requestId: "r" }, item, LIMITS),
    claim: async ([id = ""]) => claim(sql, claimOf(id), ["echo"]),
    succeed: async ([id = ""]) => succeed(sql, { ...successOf(id), ...limits }),
  };
}

function together(sql: Sql, userId: string): Steps {
  return {
    insert: (items) =>
      insertUnits(
        sql,
        items.map((item) => ({ userId, requestId: "r", items: [item] })),
        LIMITS,
      ),
    claim: (ids) => claimMany(sql, ids.map(claimOf), ["echo"]),
    succeed: (ids) => succeedMany(sql, ids.map(successOf), TTL_SECONDS),
  };
}

async function timeSteps(sql: Sql, count: number, how: string, steps: Steps): Promise<void> {
  const items = Array.from({ length: count }, newItem);
  const ids = items.map(({ id }) => id);
  await timed(`insert, ${how}`, count, () => steps.insert(items));
  await timed(`claim, ${how}`, count, () => steps.claim(ids));
  await timed(`success, ${how}`, count, () => steps.succeed(ids));
  const rows = await sql`select from queued_jobs where id = any(${ids}) and status = 'SUCCESS'`;
  if (rows.length !== count) throw new Error(`${rows.length} of ${count} have succeeded`);
}

async function timed(what: string, count: number, work: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await work();
  const ms = times.get(what) ?? [];
  times.set(what, ms);
  ms.push((performance.now() - startedAt) / count);
}

function newItem(): NewQueuedJob {
  return {
    id: uuidv7(),
    jobName: "echo",
    parameters: { message: "hello" },
    photoIds: [],
    priority: 0,
    runAt: null,
    idempotencyKey: null,
    fingerprint: null,
    fresh: false,
    createdAt: new Date().toISOString(),
  };
}

async function newUser(sql: Sql): Promise<string> {
  const id = uuidv7();
  await sql`insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
    created_at) values (${id}, 'bench', ${id}, 'a@b.c', true, 'A', 1, now())`;
  await sql`insert into user_streams (user_id) values (${id})`;
  return id;
}
