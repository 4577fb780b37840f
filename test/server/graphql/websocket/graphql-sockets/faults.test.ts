import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { SocketScene, answered } from "./scene.js";

describe("the sockets", () => {
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
      "an unknown field, without a suggestion,",
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
      "nesting that overflows the parser",
      `{ me ${"{ a ".repeat(20_000)}`,
      {},
      "GRAPHQL_VALIDATION_FAILED",
      /tokens/,
    ],
    [
      "variables of a wrong type",
      "subscription ($p: Boolean) { queuedJobEvents(includeProgress: $p) { type } }",
      { variables: { p: "maybe" } },
      "BAD_USER_INPUT",
      /^Variable "\$p" got invalid value "maybe"/,
    ],
    [
      "an unknown enum value in a variable, without a suggestion,",
      "query ($f: QueuedJobFilter) { queuedJobs(filter: $f) { totalCount } }",
      { variables: { f: { status: ["PENDIN"] } } },
      "BAD_USER_INPUT",
      /Value "PENDIN" does not exist in "QueuedJobStatus" enum\.$/,
    ],
    [
      "an unknown field in a variable, without a suggestion,",
      "query ($f: QueuedJobFilter) { queuedJobs(filter: $f) { totalCount } }",
      { variables: { f: { statu: [] } } },
      "BAD_USER_INPUT",
      /Field "statu" is not defined by type "QueuedJobFilter"\.$/,
    ],
    [
      "too many possible fields",
      "query ($n: Int) { users(first: $n) { nodes { queuedJobs(first: 100) { nodes { " +
        "photos { id } } } } } }",
      { variables: { n: 100 } },
      "GRAPHQL_VALIDATION_FAILED",
      /^The operation can return up to 1012602 fields; the limit is 200000/,
    ],
    [
      "too deeply nested variables",
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
      /^The operation has 31 aliases; the limit is 30\.$/,
    ],
    [
      "an input with a field of a wrong type",
      "mutation ($i: EnqueueJobInput!) { enqueueJob(input: $i) { id } }",
      { variables: { i: { job: "echo", photoIds: [null] } } },
      "BAD_USER_INPUT",
      /at "i\.photoIds\[0\]"/,
    ],
    [
      "an invalid id",
      'subscription { queuedJobEvents(queuedJobId: "1") { type } }',
      {},
      "BAD_USER_INPUT",
      /^queuedJobId: is not an id/,
    ],
    [
      "an unknown operation name",
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
    it(`return ${code} for ${what} as an error of the operation, and stay open`, async () => {
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
