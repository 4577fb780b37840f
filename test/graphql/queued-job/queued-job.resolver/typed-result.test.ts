import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import type { TestClient } from "../../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const TYPED = "typedResult { __typename ... on EchoResult { message attempt } }";
const READ = `query ($id: ID!) { queuedJob(id: $id) { result ${TYPED} } }`;
interface TypedEvent {
  type: string;
  queuedJob: { typedResult: object | null };
}

/** An operation of this many uses is executed by compiled code. */
const USES_BEFORE_COMPILED = 12;

describe("QueuedJob.typedResult", () => {
  let service: TestService;
  let owner: TestClient;
  before(async () => {
    service = await startTestService({ workers: 1 });
    owner = await service.person();
  });
  after(() => service.close());

  const finished = async (message: unknown): Promise<string> => {
    const { id } = await owner.enqueue("echo", { message });
    await owner.finished(id);
    return id;
  };

  async function eventsUntilSuccess(from: string): Promise<TypedEvent[]> {
    const client = createClient({
      url: `${owner.url.replace(/^http/, "ws")}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${owner.token}` },
    });
    const seen: TypedEvent[] = [];
    const events = client.iterate<{ queuedJobEvents: TypedEvent }>({
      query:
        "subscription ($after: String) { queuedJobEvents(after: $after, includeProgress: false) " +
        `{ type queuedJob { ${TYPED} } } }`,
      variables: { after: from },
    });
    for await (const { data } of events) {
      assert.ok(data);
      seen.push(data.queuedJobEvents);
      if (data.queuedJobEvents.type === "SUCCEEDED") break;
    }
    await client.dispose();
    return seen;
  }

  it("is the result with the type of its Job, in queries, lists and events", async () => {
    const cursor = await owner.cursor();
    const id = await finished({ deep: [1] });
    const typedResult = { __typename: "EchoResult", message: { deep: [1] }, attempt: 1 };
    for (let i = 0; i < USES_BEFORE_COMPILED; i++)
      assert.deepEqual((await owner.get(READ, { id })).queuedJob.typedResult, typedResult);
    const { queuedJobs } = await owner.get(`{ queuedJobs(first: 1) { nodes { ${TYPED} } } }`);
    assert.deepEqual(queuedJobs.nodes, [{ typedResult }]);
    const seen = await eventsUntilSuccess(cursor);
    assert.deepEqual(
      seen.map(({ type, queuedJob }) => [type, queuedJob.typedResult]),
      [
        ["QUEUED", null],
        ["STARTED", null],
        ["SUCCEEDED", typedResult],
      ],
    );
  });

  it("is null with a warning when the result does not match the type any more", async () => {
    const id = await finished("old");
    await service.database.sql`
      update queued_jobs set result = '{"attempt": "first"}' where id = ${id}`;
    const warnings = [
      {
        queuedJobId: id,
        message: 'The result of an earlier "echo" does not match its type any more.',
      },
    ];
    for (let i = 0; i < USES_BEFORE_COMPILED; i++) {
      const { data, errors, extensions } = await owner.ask(READ, { id });
      assert.equal(errors, undefined);
      assert.deepEqual(data.queuedJob, { result: { attempt: "first" }, typedResult: null });
      assert.deepEqual(extensions, { warnings });
    }
  });

  it("is null with a warning when no task has the name of its Job any more", async () => {
    const id = await finished("gone");
    await service.database.sql`
      insert into jobs select 'former', title, description, parameter_schema, result_schema,
        min_photos, max_photos, max_attempts, timeout_ms, false from jobs where name = 'echo'`;
    await service.database.sql`update queued_jobs set job_name = 'former' where id = ${id}`;
    const { data, extensions } = await owner.ask(READ, { id });
    assert.equal(data.queuedJob.typedResult, null);
    assert.equal((extensions as { warnings: unknown[] }).warnings.length, 1);
  });
});
