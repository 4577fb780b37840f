// QueuedJobs with the largest possible values. A value counts each time that it is selected, and
// costs nothing otherwise.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TestClient } from "../../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

describe("a hundred QueuedJobs with results of 256 kB", () => {
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService({ workers: 0 });
    person = await service.person();
    const { id } = (await person.get("{ me { id } }")).me;
    await service.database.sql`
      insert into queued_jobs (id, user_id, job_name, status, parameters, result, photo_count,
        priority, request_id, progress, due_at, created_at, updated_at, started_at, finished_at,
        expires_at)
      select gen_random_uuid(), ${id}, 'echo', 'SUCCESS', '{}', to_jsonb(repeat('x', 250000)), 0, 0,
        'request', 1, now(), now(), now(), now(), now(), now() + interval '1 day'
        from generate_series(1, 100)`;
  });
  after(() => service.close());

  const refusalOf = async (query: string): Promise<unknown> => {
    const { errors } = await person.ask(query);
    return errors?.[0]?.extensions;
  };
  const REFUSED = { code: "GRAPHQL_VALIDATION_FAILED", limit: "answerBytes" };

  it("can be listed without their results", async () => {
    const { queuedJobs } = await person.get(
      "{ queuedJobs(first: 100) { nodes { id progressMessage error { code } finishedAt } } }",
    );
    assert.equal(queuedJobs.nodes.length, 100);
  });

  it("can be listed with sixty results, but not with all of them", async () => {
    const { queuedJobs } = await person.get("{ queuedJobs(first: 60) { nodes { result } } }");
    assert.equal(
      queuedJobs.nodes.filter(({ result }: { result: string }) => result.length === 250_000).length,
      60,
    );
    assert.deepEqual(await refusalOf("{ queuedJobs(first: 100) { nodes { result } } }"), REFUSED);
  });

  it("count a result once for each alias", async () => {
    assert.equal(
      await refusalOf("{ queuedJobs(first: 20) { nodes { a: result b: result c: result } } }"),
      undefined,
    );
    assert.deepEqual(
      await refusalOf(
        "{ queuedJobs(first: 20) { nodes { a: result b: result c: result d: result } } }",
      ),
      REFUSED,
    );
  });
});
