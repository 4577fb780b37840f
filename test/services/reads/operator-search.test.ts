import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import postgres from "postgres";
import {
  ANY_JOB,
  findUserIds,
  lowestIdAt,
  searchQueuedJobs,
  type JobFilter,
} from "../../../src/services/reads/operator-search.js";
import { createTestDatabase, type TestDatabase } from "../../support/stores/test-database.js";

const FIRST = "0198f3a0-0000-7000-8000-000000000001";
const ROWS = 45_000;

describe("a search among the QueuedJobs of all users", () => {
  let store: TestDatabase;
  before(async () => {
    store = await createTestDatabase();
    await store.database
      .sql`insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
        created_at) select gen_random_uuid(), 'issuer ' || i, 's', 'Same@example.test', true, 'n',
        0, now() from generate_series(1, 2) i`;
    // One in a thousand is an echo instead of a hash, and they lie far apart.
    const sql = postgres(store.url, { max: 1 });
    await sql`
      insert into queued_jobs (id, user_id, job_name, status, parameters, photo_count, priority,
        due_at, request_id, created_at, updated_at, error_code, finished_at)
      select ('0198f3a0-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, (select id from users
        order by issuer limit 1 offset i % 2), 'echo', case when i = 1 then 'FAILED' else 'PENDING'
          end, '{}', 0, 0, now(), 'r', now(), now(),
        case when i = 1 then 'TIMEOUT' end, case when i = 1 then now() end
          from generate_series(1, ${ROWS}::int) i`;
    await sql`analyze queued_jobs`;
    await sql.end();
  });
  after(() => store.close());
  const search = (filter: Partial<JobFilter>, beforeId: string | null = null) =>
    searchQueuedJobs(store.database, { filter: { ...ANY_JOB, ...filter }, beforeId, first: 50 });

  it("finds distant rows step by step, and never reads all rows at once", async () => {
    let beforeId: string | null = null;
    let searches = 0;
    for (;;) {
      const { rows, nextBeforeId } = await search({ errorCode: "TIMEOUT" }, beforeId);
      searches++;
      if (rows.length > 0 || nextBeforeId === null) {
        assert.deepEqual(
          rows.map(({ id, errorCode, email }) => [id.slice(-2), errorCode, email]),
          [["01", "TIMEOUT", "Same@example.test"]],
        );
        break;
      }
      beforeId = nextBeforeId;
    }
    assert.equal(searches, 3);
  });

  it("finds failed rows among all in one step", async () => {
    const { rows } = await search({ status: "FAILED" });
    assert.deepEqual(
      rows.map(({ id }) => id),
      [FIRST],
    );
  });

  it("finds by request, worker, photo and time, and combines conditions", async () => {
    const { sql } = store.database;
    const id = "0198f3a1-0000-7000-8000-000000000001";
    const photoId = "0198f3a1-0000-7000-8000-00000000000a";
    await sql`
      insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
        storage_key, created_at)
      select ${photoId}, id, 'a', 'image/png', 1, 1, 1, 'x', 'photos/x', now() from users limit 1`;
    await sql`
      insert into queued_jobs (id, user_id, job_name, status, parameters, photo_count, priority,
        due_at, request_id, worker, created_at, updated_at, started_at, finished_at)
      select ${id}, id, 'hash', 'CANCELLED', '{}', 1, 0, now() - interval '9 seconds', 'mine',
        'host:7', now(), now(), now() - interval '5 seconds', now() - interval '2 seconds'
      from users limit 1`;
    await sql`insert into queued_job_photos values (${id}, 0, ${photoId})`;
    const ms = Number.parseInt("0198f3a10000", 16);
    for (const [filter, count] of [
      [{ requestId: "mine" }, 1],
      [{ worker: "host:7" }, 1],
      [{ photoId }, 1],
      [{ photoId, worker: "host:8" }, 0],
      [{ fromMs: ms, toMs: ms + 1 }, 1],
      [{ fromMs: ms + 1 }, 0],
      [{ toMs: ms, worker: "host:7" }, 0],
      [{ id, status: "CANCELLED", jobName: "hash" }, 1],
    ] as const) {
      const { rows } = await search(filter);
      assert.deepEqual(
        rows.map((row) => row.id),
        count === 1 ? [id] : [],
        JSON.stringify(filter),
      );
    }
    const [row] = (await search({ photoId })).rows;
    assert.deepEqual([row?.waitedSeconds.toFixed(0), row?.ranSeconds?.toFixed(0)], ["4", "3"]);
    await sql`delete from queued_jobs where id = ${id}`;
    assert.equal(lowestIdAt(ms), "0198f3a1-0000-7000-8000-000000000000");
  });

  it("pages without a gap or a repeat", async () => {
    const seen: string[] = [];
    let beforeId: string | null = "0198f3a0-0000-7000-8000-000000000121";
    do {
      const page: Awaited<ReturnType<typeof searchQueuedJobs>> = await search({}, beforeId);
      seen.push(...page.rows.map(({ id }) => id));
      beforeId = page.nextBeforeId;
    } while (beforeId !== null);
    assert.deepEqual(
      seen.map((id) => Number(id.slice(-12))),
      Array.from({ length: 120 }, (_, i) => 120 - i),
    );
  });

  it("accepts an e-mail address in any case, for all its users, or one id", async () => {
    const userIds = await findUserIds(store.database, "same@EXAMPLE.test");
    const both = await search({ userIds });
    assert.equal(new Set(both.rows.map(({ userId }) => userId)).size, 2);
    const id = both.rows[0]?.userId ?? "";
    const one = await search({ userIds: await findUserIds(store.database, id.toUpperCase()) });
    assert.deepEqual(
      [one.rows.length, new Set(one.rows.map(({ userId }) => userId))],
      [50, new Set([id])],
    );
    assert.deepEqual(await findUserIds(store.database, "unknown"), []);
  });
});
