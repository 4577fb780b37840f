import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { SocketScene, answered } from "./scene.js";

describe("faulty operations on the sockets", () => {
  let scene: SocketScene;
  before(async () => {
    scene = await SocketScene.start();
  });
  after(() => scene.close());

  const FAULTS: [string, string, object, string, RegExp][] = [
    [
      "a syntax error",
      "subscription {",
      {},
      "GRAPHQL_PARSE_FAILED",
      /^Syntax Error: Expected Name, found <EOF>\.$/,
    ],
    [
      "a field that is none, without a hint",
      "{ mee { id } }",
      {},
      "GRAPHQL_VALIDATION_FAILED",
      /^Cannot query field "mee" on type "Query"\.$/,
    ],
    [
      "introspection",
      "{ __schema { types { name } } }",
      {},
      "GRAPHQL_VALIDATION_FAILED",
      /introspection has been disabled/,
    ],
    [
      "too many tokens",
      `{ ${"me { id } ".repeat(2000)} }`,
      {},
      "GRAPHQL_VALIDATION_FAILED",
      /^The document has more than 2000 tokens\.$/,
    ],
    [
      "a nesting that overflows the parser",
      `{ me ${"{ a ".repeat(20_000)}`,
      {},
      "GRAPHQL_VALIDATION_FAILED",
      /tokens/,
    ],
    [
      "variables that do not fit",
      "subscription ($p: Boolean) { queuedJobEvents(includeProgress: $p) { type } }",
      { variables: { p: "maybe" } },
      "BAD_USER_INPUT",
      /^Variable "\$p" got invalid value "maybe"/,
    ],
    [
      "a value of a variable that is none, without a hint",
      "query ($f: QueuedJobFilter) { queuedJobs(filter: $f) { totalCount } }",
      { variables: { f: { status: ["PENDIN"] } } },
      "BAD_USER_INPUT",
      /Value "PENDIN" does not exist in "QueuedJobStatus" enum\.$/,
    ],
    [
      "a field of a variable that is none, without a hint",
      "query ($f: QueuedJobFilter) { queuedJobs(filter: $f) { totalCount } }",
      { variables: { f: { statu: [] } } },
      "BAD_USER_INPUT",
      /Field "statu" is not defined by type "QueuedJobFilter"\.$/,
    ],
    [
      "more than the rows of a page may hold",
      "query ($n: Int) { users(first: $n) { nodes { queuedJobs(first: 100) { nodes { " +
        "photos { id } } } } } }",
      { variables: { n: 100 } },
      "GRAPHQL_VALIDATION_FAILED",
      /^The operation asks for up to 1012602 fields; 200000 is the most/,
    ],
    [
      "variables nested too deep",
      "{ me { id } }",
      { variables: JSON.parse(`{"a":${"[".repeat(1000)}${"]".repeat(1000)}}`) as object },
      "GRAPHQL_VALIDATION_FAILED",
      /^The variables are nested deeper than 32 levels\.$/,
    ],
    [
      "thirty-one aliases",
      `{ ${Array.from({ length: 31 }, (_, i) => `a${i}: me { id }`).join(" ")} }`,
      {},
      "GRAPHQL_VALIDATION_FAILED",
      /^The operation has 31 aliases; 30 is the most\.$/,
    ],
    [
      "variables within an input that do not fit",
      "mutation ($i: EnqueueJobInput!) { enqueueJob(input: $i) { id } }",
      { variables: { i: { job: "echo", photoIds: [null] } } },
      "BAD_USER_INPUT",
      /at "i\.photoIds\[0\]"/,
    ],
    [
      "a broken id",
      'subscription { queuedJobEvents(queuedJobId: "1") { type } }',
      {},
      "BAD_USER_INPUT",
      /^queuedJobId: is not an id/,
    ],
    [
      "the name of no operation",
      "subscription A { queuedJobEvents { type } }",
      { operationName: "B" },
      "GRAPHQL_VALIDATION_FAILED",
      /^Unknown operation named "B"\.$/,
    ],
    [
      "two operations and no name",
      "query A { me { id } } query B { me { id } }",
      {},
      "GRAPHQL_VALIDATION_FAILED",
      /^Must provide operation name/,
    ],
  ];
  for (const [what, query, more, code, message] of FAULTS) {
    it(`tell ${what} as an error of the operation, ${code}, and stay open`, async () => {
      const socket = await scene.signedIn();
      const { payload } = await answered(socket, "1", query, more);
      const [error] = (Array.isArray(payload) ? payload : payload?.errors) ?? [];
      assert.equal(error?.extensions?.code, code, JSON.stringify(payload));
      assert.match(error?.message ?? "", message);
      if (query.includes("EnqueueJobInput"))
        assert.deepEqual(error?.extensions.issues?.[0]?.path, ["photoIds", 0]);
      const { payload: next } = await answered(socket, "2", "{ me { __typename } }");
      assert.deepEqual(next, { data: { me: { __typename: "User" } } });
      socket.close();
    });
  }
});
