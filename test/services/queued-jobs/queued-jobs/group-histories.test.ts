// Runs concurrent commands on random groups: in any order, all groups end, and each event shows the
// exact counts of its step. An illegal history is reduced to the shortest one and printed with its
// seed. MODEL_SEED=… repeats it; LONG=1 runs more, and MODEL_HISTORIES=… as many.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as fc from "fast-check";
import { ServiceError } from "../../../../src/domain/errors.js";
import { assertConsistent } from "../../../support/asserts/assert-consistent.js";
import { eventually } from "../../../support/runner/eventually.js";
import { RUNS_LONG } from "../../../support/runner/long.js";
import { albumTask } from "../../../support/service/album-task.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";
import { checkEvents, type Edges } from "./group-histories/check-events.js";
import { carryOut, COMMANDS, drain, type Command, type Scene } from "./group-histories/commands.js";
import { graphs, toSubmission, type Graph } from "./group-histories/graphs.js";

const HISTORIES = Number(process.env["MODEL_HISTORIES"] ?? (RUNS_LONG ? 120 : 40));
const SEED = Number(process.env["MODEL_SEED"] ?? Date.now() % 2 ** 31);
/** Longer runs check only the end of each history, and print its seed without making it shorter. */
const SHRUNK_HISTORIES = 1000;
/** Less than two large groups have. */
const MAX_PENDING = 14;

/** A command, with the indexes of what it acts on among those that exist at that time. */
interface Call {
  command: Command;
  row: number;
  group: number;
  claim: number;
  grouped: boolean;
}

/** Waves of commands; the commands of a wave are sent at once. */
const waveLists = fc.array(
  fc.array(
    fc.record({
      command: fc.constantFrom(...COMMANDS),
      row: fc.nat(1000),
      group: fc.nat(1000),
      claim: fc.nat(1000),
      grouped: fc.boolean(),
    }),
    { minLength: 2, maxLength: 6 },
  ),
  { minLength: 2, maxLength: 10, size: "max" },
);

interface History {
  groups: Graph[];
  waves: Call[][];
}

const histories: fc.Arbitrary<History> = fc.record({
  groups: fc.array(graphs, { minLength: 1, maxLength: 2 }),
  waves: waveLists,
});

describe(`${HISTORIES} histories of random groups`, () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices({ maxPending: MAX_PENDING });
    services.catalogue.set("album", { ...albumTask, countPictures: () => 1 });
  });
  after(() => services.close());

  it(`end, with exact counts in every event (seed ${SEED})`, async (t) => {
    const applied = new Map<Command, number>();
    let events = 0;
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        events += await runHistory(services, history, applied);
      }),
      { numRuns: HISTORIES, seed: SEED, endOnFailure: HISTORIES > SHRUNK_HISTORIES },
    );
    t.diagnostic(`${events} events`);
    assert.deepEqual(
      HISTORIES < 200 ? [] : [...new Set(COMMANDS)].filter((command) => !applied.get(command)),
      [],
      "every command did something at least once",
    );
  });
});

/** Returns the number of its events. */
async function runHistory(
  services: TestServices,
  { groups, waves }: History,
  applied: Map<Command, number>,
): Promise<number> {
  for (const notes of [services.published, services.publishedPhotos, services.hinted])
    notes.splice(0);
  const user = await services.newUser();
  const photo = await services.newPhoto(user);
  const scene: Scene = { user, groupIds: [], rows: [], claims: [] };
  for (const graph of groups) {
    const submission = toSubmission(graph, photo.id);
    const group = await services.queuedJobs
      .enqueueGroup(user.id, { submission, requestId: "request" })
      .catch(refusal);
    if (group) scene.groupIds.push(group.id);
  }
  const edges = await readEdges(services, scene);
  scene.rows = [...edges.keys()];
  for (const wave of waves) {
    await Promise.all(
      wave.map(async ({ command, row, group, claim, grouped }) => {
        const id = scene.rows[row % scene.rows.length] ?? "";
        const groupId = scene.groupIds[group % scene.groupIds.length] ?? "";
        const claimed = scene.claims[claim % scene.claims.length] ?? null;
        const call = { services, scene, id, groupId, claimed, grouped };
        if (await carryOut(command, call).catch(refusal))
          applied.set(command, (applied.get(command) ?? 0) + 1);
      }),
    );
    if (HISTORIES <= SHRUNK_HISTORIES) await assertConsistent(services.database.sql, user.id);
  }
  await assertHinted(services, scene);
  await drain({ services, scene });
  await assertEnded(services, scene);
  return checkStream(services, scene, edges);
}

/** Returns null for a refusal, which is legal; throws any other error. */
function refusal(error: unknown): null {
  if (
    error instanceof ServiceError &&
    ["CONFLICT", "NOT_FOUND", "QUOTA_EXCEEDED"].includes(error.code)
  )
    return null;
  throw error;
}

async function readEdges(
  { database: { sql } }: TestServices,
  { user }: Scene,
): Promise<Map<string, Edges & { groupId: string }>> {
  const rows = await sql<({ id: string; groupId: string } & Edges)[]>`
    select q.id, q.group_id as "groupId", q.runs_anyway as "runsAnyway",
      array(select d.predecessor_id::text from queued_job_predecessors d
        where d.queued_job_id = q.id) as follows
    from queued_jobs q where q.user_id = ${user.id} order by q.id`;
  return new Map(rows.map((row) => [row.id, row]));
}

/** What is due has a hint with its run, without help from the reconciler. */
async function assertHinted(services: TestServices, { user }: Scene): Promise<void> {
  const due = await services.database.sql<{ id: string; run: number }[]>`
    select id, run from queued_jobs where user_id = ${user.id} and status = 'PENDING'
      and waiting_for = 0 and cancelling is null`;
  const hinted = () => new Set(services.hinted.map(({ id, run }) => `${id} ${run}`));
  await eventually("all that is due has a hint", () => {
    const hints = hinted();
    return due.every(({ id, run }) => hints.has(`${id} ${run}`));
  });
}

async function assertEnded({ database: { sql } }: TestServices, { user }: Scene): Promise<void> {
  await assertConsistent(sql, user.id);
  const stuck = await sql`
    select group_key, status, waiting_for, due_at, cancelling from queued_jobs
    where user_id = ${user.id} and status in ('PENDING', 'STARTED')`;
  assert.deepEqual([...stuck], [], "nothing is unfinished");
  const open = await sql`
    select id from job_groups where user_id = ${user.id} and finished_at is null`;
  assert.deepEqual([...open], [], "no group is without an end");
}

function checkStream(
  { published, publishedPhotos }: TestServices,
  { user, groupIds }: Scene,
  edges: ReadonlyMap<string, Edges & { groupId: string }>,
): number {
  const events = published
    .filter(({ type, queuedJob }) => type !== "PROGRESS" && queuedJob.userId === user.id)
    .toSorted((a, b) => a.seq - b.seq);
  const photos = publishedPhotos.filter(({ photo }) => photo.userId === user.id);
  const numbers = [...events, ...photos].map(({ seq }) => seq).toSorted((a, b) => a - b);
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i + 1),
    "the numbers have no gap and no repeat",
  );
  for (const groupId of groupIds)
    checkEvents(
      events.filter(({ queuedJob }) => edges.get(queuedJob.id)?.groupId === groupId),
      new Map([...edges].filter(([, row]) => row.groupId === groupId)),
    );
  return events.length;
}
