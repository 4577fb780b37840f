import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { searchQueuedJobs } from "../../../../src/services/reads/operator-reads.js";
import { createTestDatabase, type TestDatabase } from "../../../support/stores/test-database.js";

const ALL = { user: null, status: null, jobName: null, beforeId: null, first: 50 };
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
    await store.database.sql.begin(async (sql) => {
      await sql`set local statement_timeout = 0`;
      await sql`
      insert into queued_jobs (id, user_id, job_name, status, parameters, photo_count, priority,
        due_at, request_id, created_at, updated_at, error_code, finished_at)
      select ('0198f3a0-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, (select id from users
        order by issuer limit 1 offset i % 2), 'echo', case when i = 1 then 'FAILED' else 'PENDING'
          end, '{}', 0, 0, now(), 'r', now(), now(),
        case when i = 1 then 'TIMEOUT' end, case when i = 1 then now() end
          from generate_series(1, ${ROWS}::int) i`;
    });
    await store.database.sql`analyze queued_jobs`;
  });
  after(() => store.close());

  it("finds distant rows step by step, and never reads all rows at once", async () => {
    let beforeId: string | null = null;
    let searches = 0;
    for (;;) {
      const { rows, nextBeforeId } = await searchQueuedJobs(store.database, {
        ...ALL,
        status: "FAILED",
        beforeId,
      });
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

  it("pages without a gap or a repeat", async () => {
    const seen: string[] = [];
    let beforeId: string | null = "0198f3a0-0000-7000-8000-000000000121";
    do {
      const page: Awaited<ReturnType<typeof searchQueuedJobs>> = await searchQueuedJobs(
        store.database,
        { ...ALL, beforeId },
      );
      seen.push(...page.rows.map(({ id }) => id));
      beforeId = page.nextBeforeId;
    } while (beforeId !== null);
    assert.deepEqual(
      seen.map((id) => Number(id.slice(-12))),
      Array.from({ length: 120 }, (_, i) => 120 - i),
    );
  });

  it("accepts an e-mail address in any case, for all its users, or one id", async () => {
    const both = await searchQueuedJobs(store.database, { ...ALL, user: "same@EXAMPLE.test" });
    assert.equal(new Set(both.rows.map(({ userId }) => userId)).size, 2);
    const one = await searchQueuedJobs(store.database, {
      ...ALL,
      user: both.rows[0]?.userId ?? "",
    });
    assert.deepEqual(
      [one.rows.length, new Set(one.rows.map(({ userId }) => userId)).size],
      [50, 1],
    );
    assert.deepEqual(await searchQueuedJobs(store.database, { ...ALL, user: "unknown" }), {
      rows: [],
      nextBeforeId: null,
    });
  });
});
