import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

/** More executions than are needed until a query is compiled. */
const OFTEN = 12;
const ROW =
  "id status version progress progressMessage attempts result error { code message } " +
  "createdAt startedAt runAt parameters queuePosition job { name parameterSchema enabled " +
  "} user { id email role } photos { id } outputs { url } history { type at cursor }";
const LIST = `query List($first: Int = 3, $after: String, $filter: QueuedJobFilter,
  $last: Int, $before: String, $more: Boolean! = true) {
  queuedJobs(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    __typename totalCount eventCursor pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { ...Row } } nodes @include(if: $more) { other: id ... on Node { id } ...
    on QueuedJob @skip(if: $more) { status } }
  }
}
fragment Row on QueuedJob { ${ROW} }`;
const NODE =
  "query ($id: ID!) { node(id: $id) { __typename id ... on User { name limits { " +
  "unfinished } } ... on Job { title } ... on QueuedJob { priority } } }";
const ONE = "query Q($id: ID!) { queuedJob(id: $id) { id status } me { id } }";
const MANY =
  "query ($ids: ID!, $n: Int) { users(first: $n) { nodes { queuedJobs(first: 100) { " +
  "nodes { id } } } } me { limits { unfinished } } user(id: $ids) { queuedJobs(first: " +
  "$n) { nodes { id } } } }";
const NESTED =
  "query ($n: Int) { queuedJobs(first: $n) { nodes { photos { queuedJobs(first: $n) { " +
  "nodes { id } } } } } }";
const SUBMIT =
  "mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { id status version " +
  "createdAt parameters } }";
const DELETE = "mutation M($id: ID!) { deleteQueuedJob(id: $id) }";

describe("a repeated operation", () => {
  let service: TestService;
  let person: TestClient;
  let ids: string[];
  before(async () => {
    // Load the compiler first, so that all operations are compared with compiled code.
    await import("graphql-jit");
    service = await startTestService({ workers: 0 });
    person = await service.person();
    ids = [];
    for (let i = 0; i < 5; i++) ids.push((await person.enqueue("echo", { message: { i } })).id);
  });
  after(() => service.close());

  let fresh = 0;
  async function ask(body: object, headers: Record<string, string> = {}) {
    const response = await fetch(`${service.url}/graphql`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${person.token}`,
        "content-type": "application/json",
        ...headers,
      },
      body: JSON.stringify(body),
    });
    const stableHeaders = Object.fromEntries(
      [...response.headers].filter(([name]) => name !== "date" && name !== "x-request-id"),
    );
    return { status: response.status, headers: stableHeaders, text: await response.text() };
  }
  /** Sends the same operation with a new text, so that Apollo answers it. */
  const askApollo = (body: { query: string }, headers?: Record<string, string>) =>
    ask({ ...body, query: `${body.query} # ${fresh++}` }, headers);

  async function assertSame(
    query: string,
    usual: object,
    variables: object[],
    more: object = {},
  ): Promise<void> {
    for (let i = 0; i < OFTEN; i++)
      assert.equal((await ask({ query, variables: usual, ...more })).status, 200);
    for (const values of [usual, ...variables])
      assert.deepEqual(
        await ask({ query, variables: values, ...more }),
        await askApollo({ query, variables: values, ...more } as { query: string }),
        JSON.stringify(values),
      );
  }

  it("gets the same bytes: a page with fragments, directives, defaults and aliases", async () => {
    await assertSame(LIST, {}, [
      { first: 2 },
      { first: 5, more: false },
      { first: null },
      { first: 101 },
      { first: 0 },
      { first: "2" },
      { first: 2.5 },
      { first: 2 ** 31 },
      { after: "" },
      { after: "nonsense" },
      { after: 1 },
      { last: 2 },
      { first: null, last: 2 },
      { first: null, last: 0 },
      { first: null, before: "nonsense" },
      { more: null },
      { more: "yes" },
      { filter: {} },
      { filter: { status: ["PENDING"] } },
      { filter: { status: "PENDING" } },
      { filter: { status: ["PENDIN"] } },
      { filter: { status: [null] } },
      { filter: { statu: [] } },
      { filter: { job: ["echo", "none"] } },
      { filter: { job: ["\u0000"] } },
      { filter: [] },
      { unknown: 1 },
      { first: { a: 1 } },
      JSON.parse('{"__proto__":{"first":1},"constructor":2}') as object,
    ]);
  });

  it("gets the same bytes for interface types, and when one of two fields fails", async () => {
    const { id } = (await person.get("{ me { id } }")).me;
    await assertSame(NODE, { id }, [
      { id: ids[0] },
      { id: "echo" },
      { id: "none" },
      { id: 7 },
      { id: null },
      {},
      { id: [] },
      { id: "00000000-0000-7000-8000-000000000000" },
    ]);
    await assertSame(
      ONE,
      { id: ids[0] },
      [{ id: "none" }, { id: "00000000-0000-7000-8000-000000000000" }, { id: 1.5 }, { id: true }],
      { operationName: "Q" },
    );
    await assertSame(MANY, { ids: id, n: 5 }, [
      { ids: id, n: 1000 },
      { ids: "x", n: 1 },
    ]);
  });

  it("is refused in the same way when its variables request too many rows", async () => {
    await assertSame(NESTED, { n: 1 }, [{ n: 100 }]);
    assert.equal((await ask({ query: NESTED, variables: { n: 100 } })).status, 400);
  });

  it("gets the same bytes for a mutation", async () => {
    const usual = { input: { job: "echo", parameters: { message: "ü" }, idempotencyKey: "known" } };
    await assertSame(SUBMIT, usual, [
      {},
      { input: null },
      { input: { job: "nope" } },
      { input: { job: "echo", parameters: { a: 1 } } },
      { input: { job: "echo", parameters: [] } },
      { input: { job: "echo", runAt: "never" } },
      { input: { job: "echo", priority: 101 } },
      { input: { job: "echo", parameters: {}, idempotencyKey: "known" } },
      { input: { job: "echo", other: 1 } },
      { input: { job: 1 } },
      { input: { job: "metadata", photoIds: ["x"] } },
    ]);
    for (let i = 0; i < OFTEN; i++)
      assert.equal((await ask({ query: DELETE, variables: { id: ids[0] } })).status, 200);
    await assertSame(DELETE, { id: ids[0] }, [
      { id: "none" },
      { id: "00000000-0000-7000-8000-000000000000" },
    ]);
    assert.equal((await person.get("{ queuedJobs { totalCount } }")).queuedJobs.totalCount, 6);
  });

  it("is not executed twice when a field below a mutation fails", async () => {
    const query =
      "mutation Write($input: EnqueueJobInput!, $first: Int) { enqueueJob(input: $input) " +
      "{ status user { queuedJobs(first: $first) { nodes { status } } } } }";
    const input = { job: "echo", parameters: { message: "once" }, idempotencyKey: "nested" };
    await assertSame(query, { input, first: 1 }, [
      { input, first: 1000 },
      { input, first: 0 },
      { input, first: "1" },
    ]);
    const count = async () =>
      (await person.get("{ queuedJobs { totalCount } }")).queuedJobs.totalCount as number;
    const earlier = await count();
    const { status, text } = await ask({
      query,
      variables: { input: { job: "echo" }, first: 1000 },
    });
    assert.deepEqual(
      [status, JSON.parse(text).data, JSON.parse(text).errors[0].path],
      [200, null, ["enqueueJob", "user", "queuedJobs"]],
    );
    assert.equal(await count(), earlier + 1);
  });

  it("executes no later field of a mutation after a failed one", async () => {
    const query =
      "mutation Both($id: ID!, $input: EnqueueJobInput!) { deleteQueuedJob(id: $id) " +
      "enqueueJob(input: $input) { status } }";
    const input = { job: "echo", idempotencyKey: "behind" };
    for (let i = 0; i < OFTEN; i++) {
      const { id } = await person.enqueue("echo");
      await person.get("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", { id });
      assert.equal((await ask({ query, variables: { id, input } })).status, 200);
    }
    const [{ n: earlier } = { n: 0 }] = await service.database.sql<
      { n: number }[]
    >`select count(*)::int as n from queued_jobs`;
    const refused = { query, variables: { id: "none", input: { job: "echo" } } };
    assert.deepEqual(await ask(refused), await askApollo(refused));
    const [{ n } = { n: 0 }] = await service.database.sql<
      { n: number }[]
    >`select count(*)::int as n from queued_jobs`;
    assert.equal(n, earlier);
  });

  it("is answered in the accepted media type, and only with a token", async () => {
    const body = { query: "{ me { id } } # types" };
    for (const accept of [
      "application/json",
      "application/graphql-response+json",
      "application/graphql-response+json, application/json;q=0.9",
      "*/*",
      "text/html",
      "application/json;q=0.1, */*;q=0",
      "",
    ]) {
      for (let i = 0; i < OFTEN; i++) await ask(body, { accept });
      assert.deepEqual(await ask(body, { accept }), await askApollo(body, { accept }), accept);
    }
    for (const authorization of [
      "",
      "Bearer x",
      `Bearer ${person.token}, Bearer ${person.token}`,
      `Basic ${person.token}`,
    ])
      assert.deepEqual(
        await ask(body, { authorization }),
        await askApollo(body, { authorization }),
        authorization,
      );
    for (const more of [
      { extensions: { persistedQuery: { version: 1, sha256Hash: "0" } } },
      { variables: "x" },
      { variables: [] },
      { operationName: "A" },
      { operationName: 1 },
      { extensions: 1 },
    ])
      assert.deepEqual(
        await ask({ ...body, ...more }),
        await askApollo({ ...body, ...more }),
        JSON.stringify(more),
      );
    assert.deepEqual(
      await ask(body, { "content-type": "text/plain" }),
      await askApollo(body, { "content-type": "text/plain" }),
    );
  });

  it("masks and logs an unexpected error", async () => {
    const [query, mutation] = [
      "{ me { id } } # broken",
      "mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }",
    ];
    for (let i = 0; i < OFTEN; i++)
      await Promise.all([ask({ query }), ask({ query: mutation, variables: { id: ids[1] } })]);
    await service.database.sql`alter table users rename to hidden`;
    await service.database.sql`alter table queued_jobs rename to hidden_jobs`;
    const seen = service.logged.length;
    for (const body of [{ query }, { query: mutation, variables: { id: ids[1] } }]) {
      const answer = await ask(body);
      assert.match(
        answer.text,
        /"message":"Internal server error".*"code":"INTERNAL_SERVER_ERROR"/,
      );
      assert.deepEqual(answer, await askApollo(body));
    }
    assert.equal(
      service.logged.slice(seen).filter(({ msg }) => msg === "an operation failed").length,
      4,
    );
    await service.database.sql`alter table hidden rename to users`;
    await service.database.sql`alter table hidden_jobs rename to queued_jobs`;
  });
});
