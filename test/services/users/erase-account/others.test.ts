// A large account is deleted while other users work: none of them waits for it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import postgres from "postgres";
import { createDatabase, type Database } from "../../../../src/db/database.js";
import { createAccounts } from "../../../../src/services/users/accounts.js";
import type { User } from "../../../../src/services/users/users.js";
import { fillAccount } from "../../../support/service/large-account.js";
import { long } from "../../../support/runner/long.js";
import { silentLog } from "../../../support/runner/silent-log.js";
import { createTestCore, type TestCore } from "../../../support/service/test-core.js";

const JOBS = Number(process.env["ERASED_JOBS"] ?? 200_000);
const MAX_WAIT_MS = 500;

describe("other users during the deletion of an account", long, () => {
  let core: TestCore;
  /** The connection pool of the process that deletes. */
  let deleting: Database;
  before(async () => {
    core = await createTestCore();
    deleting = createDatabase({ url: core.url, connections: 2, applicationName: "test" });
  });
  after(async () => {
    await deleting.close();
    await core.close();
  });

  async function fill(user: User): Promise<void> {
    const sql = postgres(core.url, { max: 1, onnotice: () => {} });
    // Otherwise, PostgreSQL checks the foreign keys row by row.
    await sql`set session_replication_role = replica`;
    await fillAccount(sql, user.id, {
      finished: JOBS - 10_000,
      pending: 9900,
      started: 100,
      events: 3,
      photos: 1000,
    });
    await sql`vacuum analyze`;
    await sql.end();
  }

  it(`wait at most half a second beside ${JOBS.toLocaleString("en")} deletions`, async () => {
    const [user, ...others] = await Promise.all([1, 2, 3, 4, 5].map(() => core.newUser()));
    if (!user) throw new Error("There is none");
    await fill(user);
    const accounts = createAccounts({
      database: deleting,
      users: { forget: () => {} },
      deleteFiles: async () => {},
      stopWork: () => {},
      publishGone: async () => {},
      log: silentLog,
    });
    const waits: Record<string, number[]> = { accept: [], claim: [], lease: [], succeed: [] };
    let done = false;
    async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
      const startedAt = performance.now();
      const result = await work();
      waits[what]?.push(performance.now() - startedAt);
      return result;
    }
    const working = Promise.all(
      others.map(async (other) => {
        while (!done) {
          const queuedJob = await timed("accept", () => core.submit(other));
          const claimed = await timed("claim", () => core.start(queuedJob));
          const renewed = await timed("lease", () =>
            core.queuedJobs.renewLeases("test", [claimed]),
          );
          assert.deepEqual([...renewed], [claimed.id]);
          assert.equal(
            await timed("succeed", () => core.queuedJobs.succeed(claimed, null, [])),
            true,
          );
        }
      }),
    );
    const startedAt = performance.now();
    const first = await accounts.remove(user.id, { forMs: 3000 });
    const answeredMs = performance.now() - startedAt;
    assert.equal(first, false, "it is too large for one call");
    while (!(await accounts.erase(user.id, { forMs: 10_000 })));
    const tookMs = performance.now() - startedAt;
    done = true;
    await working;
    const worst = Object.fromEntries(
      Object.entries(waits).map(([what, list]) => [
        what,
        `${Math.round(Math.max(...list))} of ${list.length}`,
      ]),
    );
    const [answered, took] = [Math.round(answeredMs), Math.round(tookMs)];
    const statistics = { jobs: JOBS, answeredMs: answered, tookMs: took, worst };
    process.stdout.write(`${JSON.stringify(statistics)}\n`);
    assert.ok(answeredMs < 4000, `it was answered after ${answeredMs} ms`);
    for (const [what, list] of Object.entries(waits))
      assert.ok(Math.max(...list) <= MAX_WAIT_MS, `${what}: ${Math.max(...list)} ms`);
    const [left] = await core.database.sql`
      select (select count(*) from users where id = ${user.id}) + (select count(*) from queued_jobs
        where user_id = ${user.id})
        + (select count(*) from queued_job_events where user_id = ${user.id}) + (select count(*)
        from photos where user_id = ${user.id}) as n`;
    assert.equal(Number(left?.["n"]), 0);
  });
});
