import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ALREADY_THERE, OVER_QUOTA, PHOTO_GONE } from "../../src/db/refusals.js";
import { sqlState, violatedConstraint } from "../../src/db/database.js";
import { LOGGED_EVENT_TYPES, QUEUED_JOB_STATUSES } from "../../src/domain/queued-job-status.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";
import { createTestServices, type TestServices } from "../support/service/test-services.js";

describe("the tables", () => {
  let services: TestServices;
  let userId: string;
  let jobId: string;
  before(async () => {
    services = await createTestServices();
    const user = await services.newUser();
    userId = user.id;
    jobId = (await services.submit(user)).id;
  });
  after(() => services.close());
  const violated = (statement: string) =>
    services.database.sql.unsafe(statement).then(
      () => null,
      (error: unknown) => violatedConstraint(error) ?? sqlState(error),
    );

  const illegal: [what: string, set: string, constraint: string][] = [
    ["an unknown status", "status = 'LOST'", "queued_jobs_status"],
    ["progress below 0", "progress = -0.01", "queued_jobs_progress"],
    ["progress above 1", "progress = 1.01", "queued_jobs_progress"],
    ["a priority below 0", "priority = -1", "queued_jobs_priority"],
    ["a priority above 100", "priority = 101", "queued_jobs_priority"],
    ["a pending row with a lease", "lease_until = now()", "queued_jobs_lease_only_started"],
    ["a started row without a lease", "status = 'STARTED'", "queued_jobs_lease_only_started"],
    ["an unfinished row with an end", "finished_at = now()", "queued_jobs_finished_times"],
    ["a finished row without an end", "status = 'CANCELLED'", "queued_jobs_finished_times"],
    [
      "a success with incomplete progress",
      "status = 'SUCCESS', finished_at = now(), progress = 0.99",
      "queued_jobs_success",
    ],
    [
      "a success with an error",
      "status = 'SUCCESS', finished_at = now(), progress = 1, error_code = 'X'",
      "queued_jobs_success",
    ],
    ["a reuse key on a row that did not succeed", "reuse_key = 'k'", "queued_jobs_reuse"],
    ["a reused result on a row that did not succeed", "reused_from = id", "queued_jobs_reuse"],
    ["a failure without an error", "status = 'FAILED', finished_at = now()", "queued_jobs_failed"],
    ["a key without a fingerprint", "idempotency_key = 'k'", "queued_jobs_key_with_fingerprint"],
    ["a fingerprint without a key", "fingerprint = 'f'", "queued_jobs_key_with_fingerprint"],
    ["no owner", "user_id = null", "23502"],
  ];
  for (const [what, set, constraint] of illegal) {
    it(`refuse ${what}`, async () =>
      assert.equal(
        await violated(`update queued_jobs set ${set} where id = '${jobId}'`),
        constraint,
      ));
  }

  it("accept every status in its valid shape", async () => {
    const shapes: Record<(typeof QUEUED_JOB_STATUSES)[number], string> = {
      PENDING: "lease_until = null, finished_at = null",
      STARTED: "lease_until = now(), finished_at = null",
      SUCCESS: "lease_until = null, finished_at = now(), progress = 1, error_code = null",
      FAILED: "lease_until = null, finished_at = now(), error_code = 'X'",
      CANCELLED: "lease_until = null, finished_at = now()",
    };
    for (const status of [...QUEUED_JOB_STATUSES, "PENDING"] as const)
      assert.equal(
        await violated(
          `update queued_jobs set status = '${status}', ${shapes[status]} where id = '${jobId}'`,
        ),
        null,
        status,
      );
  });

  it("refuse counters below 0 and a floor above the last number", async () => {
    assert.equal(
      await violated(`update user_streams set pending = -1 where user_id = '${userId}'`),
      "user_streams_pending",
    );
    assert.equal(
      await violated(
        `update user_streams set floor_seq = last_seq + 1 where user_id = '${userId}'`,
      ),
      "user_streams_floor",
    );
  });

  it("accept logged event types only, and each number of a user once an hour", async () => {
    const insert = (seq: number, type: string) =>
      violated(
        "insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot) " +
          `values ('${userId}', ${seq}, '${jobId}', '${type}', now(), '{}')`,
      );
    for (const [i, type] of LOGGED_EVENT_TYPES.entries())
      assert.equal(await insert(100 + i, type), null, type);
    assert.deepEqual(
      [await insert(200, "PROGRESS"), await insert(100, "STARTED")],
      ["queued_job_events_type", "queued_job_events_first_pk"],
    );
  });

  it("refuse the same bytes, idempotency key or output name twice", async () => {
    const user = await services.newUser();
    const photo = await services.newPhoto(user);
    assert.equal(
      await violated(
        "insert into photos select gen_random_uuid(), user_id, filename, mime_type, " +
          "width, height, byte_size, sha256, storage_key, preview_key, thumbhash, phash, " +
          `created_at from photos where id = '${photo.id}'`,
      ),
      "photos_user_sha256",
    );
    const [a, b] = await services.submitMany(user, [{ idempotencyKey: "k" }, {}]);
    assert.equal(
      await violated(
        `update queued_jobs set idempotency_key = 'k', fingerprint = 'f' where id = '${b?.id}'`,
      ),
      "queued_jobs_user_key",
    );
    const output = (position: number) =>
      violated(
        "insert into queued_job_outputs (queued_job_id, position, name, mime_type, " +
          `byte_size, storage_key) values ('${a?.id}', ${position}, 'n', 'm', 1, 'k')`,
      );
    assert.deepEqual([await output(1), await output(2)], [null, "queued_job_outputs_name"]);
  });

  it("delete with a user all its rows but the log, and with a photo its links", async () => {
    const user = await services.newUser();
    const photo = await services.newPhoto(user);
    const { id } = await services.submit(user, { job: "album", photoIds: [photo.id] });
    await services.database.sql`delete from photos where id = ${photo.id}`;
    assert.equal(
      (await services.database.sql`select from queued_job_photos where queued_job_id = ${id}`)
        .length,
      0,
    );
    await services.database.sql`delete from users where id = ${user.id}`;
    const rest = Object(await services.everythingOf(user)) as Record<string, unknown>;
    assert.deepEqual({ ...rest, events: [] }, { jobs: [], events: [], outputs: [], counters: [] });
  });

  it("raise our own SQLSTATEs on demand, so that the whole statement is undone", async () => {
    for (const state of [OVER_QUOTA, ALREADY_THERE, PHOTO_GONE])
      assert.equal(await violated(`select refuse('${state}')`), state);
  });

  it("format instants in UTC with milliseconds in any time zone of the session", async () => {
    const formatted = await services.database.sql.begin(async (tx) => {
      await tx`set local timezone = 'Asia/Kathmandu'`;
      return tx`select rfc3339('2024-02-29T23:59:59.9994+05:30') as a,
        rfc3339('0001-01-01T00:00:00Z') as b, rfc3339(null) as c`;
    });
    assert.deepEqual(formatted[0], {
      a: "2024-02-29T18:29:59.999Z",
      b: "0001-01-01T00:00:00.000Z",
      c: null,
    });
  });
});

describe("the tables that change most", () => {
  let store: TestDatabase;
  before(async () => {
    store = await createTestDatabase();
  });
  after(() => store.close());

  it("leave room for new row versions, and are vacuumed before dead rows pile up", async () => {
    const rows = await store.database.sql<{ name: string; settings: string[] }[]>`
      select relname as name, reloptions as settings from pg_class
        where relnamespace = 'public'::regnamespace
          and relname ~ '^(user_streams|queued_jobs|queued_job_events_[0-9]+)$'`;
    assert.deepEqual(
      Object.fromEntries(
        rows.map(({ name, settings }) => [name.replace(/\d+$/, "…"), settings.toSorted()]),
      ),
      {
        user_streams: ["autovacuum_vacuum_scale_factor=0.01", "fillfactor=50"],
        queued_jobs: ["autovacuum_vacuum_scale_factor=0.02", "fillfactor=80"],
        "queued_job_events_…": [
          "autovacuum_vacuum_insert_scale_factor=0.05",
          "autovacuum_vacuum_scale_factor=0.02",
        ],
      },
    );
  });
});
