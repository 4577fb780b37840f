import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { readJobStatistics } from "../../../../src/services/reads/operator-reads.js";
import { createTestDatabase, type TestDatabase } from "../../../support/stores/test-database.js";

describe("the statistics of the Jobs", () => {
  let store: TestDatabase;
  before(async () => {
    store = await createTestDatabase();
    await store.database
      .sql`insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
        created_at) values (gen_random_uuid(), 'i', 's', 'e', true, 'n', 0, now())`;
  });
  after(() => store.close());

  async function finished(
    count: number,
    status: string,
    minutesAgo: number,
    seconds: number,
  ): Promise<void> {
    await store.database.sql`
      insert into queued_jobs (id, user_id, job_name, status, parameters, photo_count, priority,
        due_at, request_id, created_at, updated_at, progress, error_code, started_at, finished_at,
        expires_at)
      select gen_random_uuid(), (select id from users), 'echo', ${status}, '{}', 0, 0,
        at - ${2 * seconds} * interval '1 second', 'r', now(), now(), 1, case when ${status} = 'FAILED' then 'X'
        end, at - ${seconds} * interval '1 second', at, at + interval '7 days'
      from (select now() - ${minutesAgo} * interval '1 minute' as at) t, generate_series(1,
        ${count}::int)`;
  }

  it("are zero when nothing was submitted", async () => {
    const nothing = {
      succeeded: 0,
      failed: 0,
      cancelled: 0,
      medianSeconds: null,
      p95Seconds: null,
      p95WaitSeconds: null,
    };
    const statistics = await readJobStatistics(store.database);
    assert.deepEqual(
      statistics.find(({ jobName }) => jobName === "thumbnail"),
      {
        jobName: "thumbnail",
        pending: 0,
        started: 0,
        oldestWaitSeconds: null,
        hour: nothing,
        day: nothing,
      },
    );
  });

  it("count waiting QueuedJobs, and those finished within the hour and the day", async () => {
    await finished(3, "SUCCESS", 10, 1);
    await finished(1, "SUCCESS", 10, 9);
    await finished(2, "FAILED", 59, 1);
    await finished(5, "SUCCESS", 61, 30);
    await finished(1, "CANCELLED", 600, 1);
    await finished(7, "FAILED", 25 * 60, 1);
    await store.database.sql`
      insert into queued_jobs (id, user_id, job_name, status, parameters, photo_count, priority,
        due_at, request_id, created_at, updated_at)
      select gen_random_uuid(), (select id from users), 'echo', 'PENDING', '{}', 0, 0, due, 'r',
        now(), now() from (values (now() - interval '90 seconds'), (now()),
        (now() + interval '1 hour')) t(due)`;
    const { pending, started, oldestWaitSeconds, hour, day } =
      (await readJobStatistics(store.database)).find(({ jobName }) => jobName === "echo") ??
      assert.fail();
    assert.deepEqual([pending, started], [3, 0]);
    assert.ok(
      oldestWaitSeconds !== null && oldestWaitSeconds >= 90 && oldestWaitSeconds < 120,
      String(oldestWaitSeconds),
    );
    const rounded = ({ p95Seconds, p95WaitSeconds, ...others }: typeof hour) => ({
      ...others,
      p95Seconds: p95Seconds?.toFixed(1),
      p95WaitSeconds: p95WaitSeconds?.toFixed(1),
    });
    assert.deepEqual(rounded(hour), {
      succeeded: 4,
      failed: 2,
      cancelled: 0,
      medianSeconds: 1,
      p95Seconds: "7.8",
      p95WaitSeconds: "7.8",
    });
    assert.deepEqual(rounded(day), {
      succeeded: 9,
      failed: 2,
      cancelled: 1,
      medianSeconds: 30,
      p95Seconds: "30.0",
      p95WaitSeconds: "30.0",
    });
  });
});
