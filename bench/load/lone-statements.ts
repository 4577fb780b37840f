// Measures a step of one row with its single-row statement, with the batch statement, and as part
// of a batch, without groups and as members of chains. It also measures the overhead of the
// deadline and of the routing of statements.
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
  const chain = await newChain(sql, userId);
  const chains: string[][] = [];
  while (chains.length < ROWS) chains.push(await newChain(sql, userId));
  for (let round = 0; round < ROUNDS; round++) {
    await timeSteps(sql, 1, "single-row statement", alone(sql, userId));
    await timeSteps(sql, 1, "batch statement with one row", together(sql, userId));
    await timeSteps(sql, ROWS, `batch statement with ${ROWS} rows`, together(sql, userId));
    await timeMembers(sql, nth([chain], round), "a chain's member", alone(sql, userId));
    const many = `batch statement with a member of each of ${ROWS} chains`;
    await timeMembers(sql, nth(chains, round), many, together(sql, userId));
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
  claim(rows: Member[]): Promise<unknown>;
  succeed(rows: Member[]): Promise<unknown>;
}

interface Member {
  id: string;
  grouped: boolean;
}

function claimOf(member: Member) {
  return { ...member, run: 1, worker: "bench" };
}

function successOf(member: Member) {
  return { ...member, attempt: 1, result: '{"message":"hello"}' };
}

function alone(sql: Sql, userId: string): Steps {
  const limits = { ...PLAIN, maxRecordedBytes: LIMITS.maxRecordedBytes, ttlSeconds: TTL_SECONDS };
  return {
    insert: async ([item]) => item && insertOne(sql, { userId, requestId: "r" }, item, LIMITS),
    claim: async ([row]) => row && claim(sql, claimOf(row), ["echo"]),
    succeed: async ([row]) => row && succeed(sql, { ...successOf(row), ...limits }),
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
    claim: (rows) => claimMany(sql, rows.map(claimOf), ["echo"]),
    succeed: (rows) => succeedMany(sql, rows.map(successOf), TTL_SECONDS),
  };
}

async function timeSteps(sql: Sql, count: number, how: string, steps: Steps): Promise<void> {
  const items = Array.from({ length: count }, newItem);
  await timed(`insert, ${how}`, count, () => steps.insert(items));
  await timeMembers(
    sql,
    items.map(({ id }) => ({ id, grouped: false })),
    how,
    steps,
  );
}

async function timeMembers(sql: Sql, rows: Member[], how: string, steps: Steps): Promise<void> {
  const ids = rows.map(({ id }) => id);
  await timed(`claim, ${how}`, ids.length, () => steps.claim(rows));
  await timed(`success, ${how}`, ids.length, () => steps.succeed(rows));
  const done = await sql`select from queued_jobs where id = any(${ids}) and status = 'SUCCESS'`;
  if (done.length !== ids.length) throw new Error(`${done.length} of ${ids.length} have succeeded`);
}

/** The members at this place of each chain. */
function nth(chains: readonly string[][], place: number): Member[] {
  return chains.map((chain) => ({ id: chain[place] ?? "", grouped: true }));
}

/** Inserts a chain that has a member for each round, and one more that waits. */
async function newChain(sql: Sql, userId: string): Promise<string[]> {
  const items = Array.from({ length: ROUNDS + 1 }, newItem);
  const ids = items.map(({ id }) => id);
  const shared = { idempotencyKey: null, fingerprint: null, createdAt: new Date().toISOString() };
  const group = { id: uuidv7(), name: null, total: items.length, ...shared };
  const memberOf = (place: number) => ({
    groupKey: String(place),
    groupPlace: place,
    waitingFor: place === 0 ? 0 : 1,
    runsAnyway: false,
    takesPhotos: false,
    predecessors: ids
      .slice(Math.max(0, place - 1), place)
      .map((predecessorId) => ({ predecessorId, position: 0, takesPhotos: false, outputs: null })),
  });
  const members = items.map((item, place) => ({ ...item, member: memberOf(place) }));
  await insertUnits(sql, [{ userId, requestId: "r", group, items: members }], LIMITS);
  return ids;
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
