import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import {
  execute,
  InvalidInputError,
  UnreachableError,
  type Operation,
  type PhotoService,
} from "../../../client/src/index.js";
import { eventually } from "../../support/runner/eventually.js";
import { seededRandom } from "../../support/runner/seeded-random.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { clientOf, proxiedClientOf } from "../client-of.js";

interface Happening {
  cursor: string;
  type: string;
  queuedJob: { id: string };
}

/** The field has an alias, because clients may use one. */
const FEED =
  "subscription ($id: ID, $after: String) { happening: queuedJobEvents(queuedJobId: $id, after: " +
  "$after, includeProgress: false) { cursor type queuedJob { id } } }";
const ENQUEUE =
  "mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { id job { name } } }";

/** Resolves with all data when the operation completes. */
function all<Data>(client: PhotoService, operation: Operation): Promise<Data[]> {
  return new Promise((resolve, reject) => {
    const received: Data[] = [];
    execute<Data>(client, operation, {
      next: ({ data }) => void received.push(data),
      error: reject,
      complete: () => resolve(received),
    });
  });
}

describe("the transport for other GraphQL clients", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service?.close());

  it("delivers every event once and in order while its sockets are killed", async (t) => {
    const person = await service.person();
    const { client, killSockets, sockets } = clientOf({ url: service.url, token: person.token });
    t.after(() => client.close());
    const random = seededRandom();
    const events: Happening[] = [];
    const variables = Object.freeze({ after: await person.cursor() });
    const stop = execute<{ happening: Happening }>(
      client,
      { kind: "subscription", query: FEED, variables },
      {
        next: ({ data }) => void events.push(data.happening),
        error: (error) => assert.fail(error),
        complete: () => assert.fail("The feed has no end."),
      },
    );
    for (let i = 0; i < 5; i++) {
      await Promise.all([1, 2, 3].map(() => client.run("echo", { durationMs: 20 })));
      await pause(random.below(60));
      await eventually("a socket is open again", () => sockets() > i, 90_000);
      killSockets();
    }
    await eventually(
      "all have succeeded",
      () => events.filter(({ type }) => type === "SUCCEEDED").length === 15,
    );
    stop();
    assert.ok(sockets() > 2, `${sockets()} sockets`);
    const { me } = (await person.get("{ me { id } }")) as { me: { id: string } };
    const log = await service.database.sql<{ id: string; type: string }[]>`
      select queued_job_id as id, type from queued_job_events
      where user_id = ${me.id} order by seq`;
    assert.deepEqual(
      events.map(({ type, queuedJob }) => `${queuedJob.id} ${type}`),
      log.map(({ id, type }) => `${id} ${type}`),
      `seed ${random.seed}`,
    );
    await client.run("echo", {});
    assert.equal(events.length, log.length, "nothing arrives after it was stopped");
  });

  it("completes with the answer, and with the end of a stream", async (t) => {
    const { client } = await proxiedClientOf(t, service);
    const input = { run: { echo: { message: "x" } } };
    const [answer] = await all<{ enqueueJob: { id: string; job: object } }>(client, {
      kind: "mutation",
      query: ENQUEUE,
      variables: { input },
    });
    const id = answer?.enqueueJob.id ?? "";
    assert.deepEqual(answer?.enqueueJob.job, { name: "echo" });
    const stream = { kind: "subscription", query: FEED, variables: { id } };
    const events = await all<{ happening: Happening }>(client, stream);
    assert.equal(events.at(-1)?.happening.type, "SUCCEEDED");
    const query = "query ($id: ID!) { queuedJob(id: $id) { status } }";
    assert.deepEqual(await all(client, { kind: "query", query, variables: { id } }), [
      { queuedJob: { status: "SUCCESS" } },
    ]);
  });

  it(
    "reports errors as classes, and repeats queries, but not mutations",
    { timeout: 30_000 },
    async (t) => {
      const { client, proxy } = await proxiedClientOf(t, service);
      const bad = { kind: "subscription", query: FEED, variables: { after: "nonsense" } };
      await assert.rejects(all(client, bad), InvalidInputError);
      for (const query of [
        "subscription { queuedJobEvents { cursor } }",
        "subscription ($after: String) { queuedJobEvents(after: $after) { type } }",
      ])
        await assert.rejects(all(client, { ...bad, query }), TypeError);
      proxy.down();
      const answer = all(client, { kind: "query", query: "{ __typename }" });
      const submission = {
        kind: "mutation",
        query: ENQUEUE,
        variables: { input: { job: "echo" } },
      };
      await assert.rejects(all(client, submission), UnreachableError);
      proxy.up();
      assert.deepEqual(await answer, [{ __typename: "Query" }]);
    },
  );
});
