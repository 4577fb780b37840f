// Runs concurrent commands on the services: in any order, the recorded rows and published events
// must form a legal history. An illegal history is reduced to the shortest one and printed with its
// seed. MODEL_SEED=… repeats it; LONG=1 runs more.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as fc from "fast-check";
import { ServiceError } from "../../../src/domain/errors.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../support/asserts/assert-complete-stream.js";
import { RUNS_LONG } from "../../support/runner/long.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";
import {
  albumOf,
  carryOut,
  COMMANDS,
  OUTPUT_BYTES,
  type Command,
  type Scene,
} from "./queued-jobs/commands.js";

const HISTORIES = RUNS_LONG ? 250 : 60;
const SEED = Number(process.env["MODEL_SEED"] ?? Date.now() % 2 ** 31);
const MAX_PENDING = 3;
const PHOTO_BYTES = 10;
/** Room for the outputs of two, beside the photo. */
const MAX_STORED_BYTES = PHOTO_BYTES + 2 * OUTPUT_BYTES;

/** A command, with the indexes of its QueuedJob and claim among those that exist at that time. */
interface Call {
  command: Command;
  job: number;
  claim: number;
}

/** Waves of commands; the commands of a wave are sent at once. */
const histories = fc.array(
  fc.array(
    fc.record({ command: fc.constantFrom(...COMMANDS), job: fc.nat(1000), claim: fc.nat(1000) }),
    { minLength: 2, maxLength: 6 },
  ),
  { minLength: 3, maxLength: 6, size: "max" },
);

describe(`${HISTORIES} histories of concurrent commands`, () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices({
      maxPending: MAX_PENDING,
      maxStoredBytes: MAX_STORED_BYTES,
    });
  });
  after(() => services.close());

  it(`are legal, without gaps and with exact counters (seed ${SEED})`, async () => {
    const applied = new Map<Command, number>();
    await fc.assert(
      fc.asyncProperty(histories, (waves) => runHistory(services, waves, applied)),
      { numRuns: HISTORIES, seed: SEED },
    );
    await assertConsistent(services.database.sql);
    const eventCount = assertCompleteStream(services);
    assert.ok(eventCount > HISTORIES * 5, `only ${eventCount} events were published`);
    assert.deepEqual(
      COMMANDS.filter((command) => !applied.get(command)),
      [],
      "every command did something at least once",
    );
    assertProgressInPlace(services);
    const [{ over } = { over: -1 }] = await services.database.sql<
      { over: number }[]
    >`select count(*)::int as over from user_streams where pending > ${MAX_PENDING}
        or stored_bytes > ${MAX_STORED_BYTES}`;
    assert.equal(over, 0, "no user is above a quota");
    await assertTakenOverAsItWas(services);
  });

  it("publishes exactly what is recorded", async () => {
    const recorded = await services.database.sql<
      { userId: string; seq: number; type: string; id: string }[]
    >`select user_id as "userId", seq::float8 as seq, type, queued_job_id as id
      from queued_job_events order by 1, 2`;
    const deleted = new Set(recorded.filter(({ type }) => type === "DELETED").map(({ id }) => id));
    const published = services.published.filter(
      ({ type, queuedJob }) =>
        type !== "PROGRESS" && (type === "DELETED" || !deleted.has(queuedJob.id)),
    );
    const key = (userId: string, seq: number, type: string, id: string) =>
      `${userId} ${String(seq).padStart(6)} ${type} ${id}`;
    assert.deepEqual(
      published
        .map(({ seq, type, queuedJob }) => key(queuedJob.userId, seq, type, queuedJob.id))
        .toSorted(),
      recorded.map(({ userId, seq, type, id }) => key(userId, seq, type, id)).toSorted(),
    );
  });
});

async function runHistory(
  services: TestServices,
  waves: Call[][],
  applied: Map<Command, number>,
): Promise<void> {
  const user = await services.newUser();
  const scene: Scene = {
    user,
    photoId: (await services.newPhoto(user, { byteSize: PHOTO_BYTES })).id,
    claims: [],
    made: [],
  };
  // A result that can be reused, and two attempts that may reuse it, with room for only one.
  const [done, ...running] = await services.submitMany(user, [
    albumOf(scene),
    albumOf(scene),
    albumOf(scene),
  ]);
  scene.made.push(...[done, ...running].flatMap((queuedJob) => queuedJob?.id ?? []));
  if (done)
    await carryOut("succeed", {
      services,
      scene,
      id: done.id,
      claimed: await services.start(done),
    });
  for (const queuedJob of running) scene.claims.push(await services.start(queuedJob));
  for (const wave of waves) {
    const calls = wave.map(({ command, job, claim }) => ({
      command,
      id: scene.made[job % scene.made.length] ?? "",
      claimed: scene.claims[claim % scene.claims.length] ?? null,
    }));
    await Promise.all(
      calls.map(async ({ command, id, claimed }) => {
        if (await refusedOrDone(carryOut(command, { services, scene, id, claimed })))
          applied.set(command, (applied.get(command) ?? 0) + 1);
      }),
    );
  }
  await assertConsistent(services.database.sql, scene.user.id);
}

/** Returns true if the command did something. A refusal is legal too; any other error is not. */
async function refusedOrDone(work: Promise<unknown>): Promise<boolean> {
  try {
    return Boolean(await work);
  } catch (error) {
    if (
      error instanceof ServiceError &&
      ["CONFLICT", "NOT_FOUND", "QUOTA_EXCEEDED"].includes(error.code)
    )
      return false;
    throw error;
  }
}

/**
 * A reused result must come from work on the same photo. A QueuedJob with its own work must not
 * claim reuse.
 */
async function assertTakenOverAsItWas({ database: { sql } }: TestServices): Promise<void> {
  const rows = await sql<
    { id: string; jobName: string; reusedFrom: string | null; of: string }[]
  >`select id, job_name as "jobName", reused_from as "reusedFrom", result->>'of' as of
    from queued_jobs where status = 'SUCCESS'`;
  assert.deepEqual(
    rows.filter(({ id, jobName, reusedFrom, of }) =>
      reusedFrom === null ? of !== id : of === id || jobName !== "album",
    ),
    [],
  );
}

/** A PROGRESS event must belong to a published STARTED, with the same number and version. */
function assertProgressInPlace({ published }: TestServices): void {
  const started = new Map(
    published
      .filter(({ type }) => type === "STARTED")
      .map(({ seq, queuedJob }) => [`${queuedJob.userId} ${seq}`, queuedJob]),
  );
  for (const { seq, queuedJob } of published.filter(({ type }) => type === "PROGRESS")) {
    const of = started.get(`${queuedJob.userId} ${seq}`);
    assert.deepEqual(
      [of?.id, of?.version, of?.attempts],
      [queuedJob.id, queuedJob.version, queuedJob.attempts],
    );
  }
}
