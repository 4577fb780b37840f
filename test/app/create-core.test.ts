// Slow reads use separate connections, so that they do not block others.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/runner/eventually.js";
import type { TestClient } from "../support/clients/test-client.js";
import { OPERATOR_PASSWORD } from "../support/clients/scrape.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

const FILTERED =
  "{ queuedJobs(first: 1, filter: { status: [FAILED] }) { totalCount nodes { id } } }";

describe("slow reads", () => {
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService({ workers: 0, env: { ADMIN_PASSWORD: OPERATOR_PASSWORD } });
    person = await service.person();
    await person.get("{ jobs { totalCount } photos { totalCount } }");
  });
  after(() => service.close());

  const waiting = async () =>
    Number(
      (
        await service.database
          .sql`select count(*) as n from pg_stat_activity where datname = current_database()
            and application_name = 'photo-service api' and wait_event_type = 'Lock'`
      )[0]?.["n"],
    );

  it("use two connections of an API and block no other request", async () => {
    const page = () =>
      fetch(`${service.url}/admin/jobs`, {
        headers: {
          authorization: `Basic ${Buffer.from(`admin:${OPERATOR_PASSWORD}`).toString("base64")}`,
        },
      });
    await service.database.sql.begin(async (sql) => {
      await sql`lock table queued_jobs in access exclusive mode`;
      const slow = [
        ...Array.from({ length: 10 }, () => person.ask(FILTERED)),
        ...Array.from({ length: 3 }, page),
      ];
      await eventually("two of them wait for the lock", async () => (await waiting()) === 2);
      for (let i = 0; i < 20; i++)
        assert.equal((await person.ask("{ photos { totalCount } }")).errors, undefined);
      // The other slow reads wait for a connection.
      assert.equal(await waiting(), 2);
      void Promise.allSettled(slow);
    });
    await eventually(
      "they are answered again",
      async () => (await person.ask(FILTERED)).errors === undefined,
    );
  });
});
