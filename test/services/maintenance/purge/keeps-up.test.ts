// Measured from outside: expired rows go in time under steady traffic, even if PostgreSQL is far
// away.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createTcpProxy, type TcpProxy } from "../../../support/stores/tcp-proxy.js";
import { createTestDatabase, type TestDatabase } from "../../../support/stores/test-database.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const PEOPLE = 120;
const SECONDS = 100;
const TTL_SECONDS = 5;
const AWAY_MS = 10;
/** The limit of the contract. */
const MAX_LAG_SECONDS = 60;

/** It measures a machine without other load, so it does not run beside other tests. */
const skip =
  process.env["FIGURES"] === "1"
    ? false
    : "a figure: run it alone with FIGURES=1 npm test -- keeps-up";

describe("under steady traffic", { skip }, () => {
  let store: TestDatabase;
  let proxy: TcpProxy;
  let service: TestService;
  before(async () => {
    store = await createTestDatabase();
    proxy = await createTcpProxy(store.url);
    const ttl = String(TTL_SECONDS);
    service = await startTestService({
      store,
      env: { DATABASE_URL: proxy.url, MAX_JOB_TTL: ttl, EVENT_TTL: ttl, ECHO: "true" },
    });
    proxy.delay(AWAY_MS);
  });
  after(async () => {
    proxy.heal();
    await service.close();
    await proxy.close();
  });

  /** Reads how long the oldest finished QueuedJob and the oldest event have outlived their time. */
  async function readLags(): Promise<{ queuedJobs: number; events: number }> {
    const [row] = await store.database.sql<{ queuedJobs: number; events: number }[]>`
      select coalesce(extract(epoch from clock_timestamp() - min(expires_at)),
        0)::float8 as "queuedJobs",
        coalesce((select extract(epoch from clock_timestamp() - min(at)) - ${TTL_SECONDS}
        from queued_job_events), 0)::float8 as events from queued_jobs`;
    return row ?? assert.fail();
  }

  it(`removes expired rows within a minute, with PostgreSQL ${AWAY_MS} ms away`, async () => {
    const people = await Promise.all(Array.from({ length: PEOPLE }, () => service.person()));
    const end = Date.now() + SECONDS * 1000;
    let submitted = 0;
    const traffic = Promise.all(
      people.map(async (person, i) => {
        await pause((i * 1000) / PEOPLE);
        for (let next = Date.now(); next < end; next += 1000) {
          await pause(next - Date.now());
          await person.ask('mutation { enqueueJob(input: { job: "echo" }) { id } }');
          submitted++;
        }
      }),
    );
    const worst = { queuedJobs: 0, events: 0 };
    while (Date.now() < end) {
      const lags = await readLags();
      for (const kind of ["queuedJobs", "events"] as const)
        worst[kind] = Math.max(worst[kind], lags[kind]);
      await pause(1000);
    }
    await traffic;
    process.stdout.write(`${JSON.stringify({ submitted, worstLagSeconds: worst })}\n`);
    assert.ok(submitted > 0.8 * PEOPLE * SECONDS, `only ${submitted} were submitted`);
    assert.ok(
      worst.queuedJobs < MAX_LAG_SECONDS && worst.events < MAX_LAG_SECONDS,
      JSON.stringify(worst),
    );
  });
});
