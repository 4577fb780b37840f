import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startTestService, type TestService } from "../../../../support/service/test-service.js";

const JSON_TYPE = { "content-type": "application/json" };
const QUERY = JSON.stringify({ query: "{ me { id } }" });
const FILTERED = "query ($f: QueuedJobFilter) { queuedJobs(filter: $f) { totalCount } }";
const MUTATION = "mutation { deleteMe }";

describe("requests to /graphql", () => {
  let service: TestService;
  let authorization: string;
  before(async () => {
    service = await startTestService({ workers: 0 });
    authorization = `Bearer ${await service.token()}`;
  });
  after(() => service.close());

  const ask = (init: RequestInit & { path?: string }) =>
    fetch(`${service.url}/graphql${init.path ?? ""}`, {
      method: "POST",
      ...init,
      headers: { authorization, ...(init.headers as Record<string, string>) },
    });

  const REFUSED: [string, RequestInit & { path?: string }, number, string, RegExp][] = [
    [
      "a body that is not JSON",
      { headers: JSON_TYPE, body: "{query" },
      400,
      "BAD_REQUEST",
      /^POST body missing, invalid Content-Type, or JSON object has no keys\.$/,
    ],
    ["an empty body", { headers: JSON_TYPE, body: "" }, 400, "BAD_REQUEST", /^POST body missing/],
    [
      "a body that is text",
      { headers: { "content-type": "text/plain" }, body: QUERY },
      400,
      "BAD_REQUEST",
      /potential Cross-Site Request Forgery/,
    ],
    [
      "a form",
      { headers: { "content-type": "application/x-www-form-urlencoded" }, body: "query={me{id}}" },
      400,
      "BAD_REQUEST",
      /potential Cross-Site Request Forgery/,
    ],
    [
      "plain text with a preflight header",
      { headers: { "content-type": "text/plain", "apollo-require-preflight": "1" }, body: QUERY },
      400,
      "BAD_REQUEST",
      /^POST body missing/,
    ],
    [
      "a batch",
      { headers: JSON_TYPE, body: `[${QUERY},${QUERY}]` },
      400,
      "BAD_REQUEST",
      /^Operation batching disabled\.$/,
    ],
    ["a number", { headers: JSON_TYPE, body: "1" }, 400, "BAD_REQUEST", /^POST body missing/],
    [
      "no query",
      { headers: JSON_TYPE, body: '{"variables":{}}' },
      400,
      "BAD_REQUEST",
      /GraphQL operations must contain a non-empty `query`/,
    ],
    [
      "a query that is not a string",
      { headers: JSON_TYPE, body: '{"query":{"me":1}}' },
      400,
      "BAD_REQUEST",
      /^GraphQL queries must be strings\.$/,
    ],
    [
      "variables that are not an object",
      { headers: JSON_TYPE, body: '{"query":"{ me { id } }","variables":"x"}' },
      400,
      "BAD_REQUEST",
      /`variables` in a POST body should be provided as an object/,
    ],
    [
      "a stored query",
      {
        headers: JSON_TYPE,
        body: `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"${"0".repeat(64)}"}}}`,
      },
      400,
      "BAD_REQUEST",
      /^PersistedQueryNotSupported$/,
    ],
    [
      "a syntax error",
      { headers: JSON_TYPE, body: '{"query":"{ me { id }"}' },
      400,
      "GRAPHQL_PARSE_FAILED",
      /^Syntax Error: Expected Name, found <EOF>\.$/,
    ],
    [
      "too many tokens",
      { headers: JSON_TYPE, body: JSON.stringify({ query: `{ ${"me { id } ".repeat(2000)} }` }) },
      400,
      "GRAPHQL_VALIDATION_FAILED",
      /^The document has more than 2000 tokens\.$/,
    ],
    [
      "an unknown field, without a suggestion,",
      { headers: JSON_TYPE, body: '{"query":"{ mee { id } }"}' },
      400,
      "GRAPHQL_VALIDATION_FAILED",
      /^Cannot query field "mee" on type "Query"\.$/,
    ],
    [
      "an unknown enum value in a variable, without a suggestion,",
      {
        headers: JSON_TYPE,
        body: JSON.stringify({ query: FILTERED, variables: { f: { status: ["PENDIN"] } } }),
      },
      400,
      "BAD_USER_INPUT",
      /Value "PENDIN" does not exist in "QueuedJobStatus" enum\.$/,
    ],
    [
      "an unknown field in a variable, without a suggestion,",
      {
        headers: JSON_TYPE,
        body: JSON.stringify({ query: FILTERED, variables: { f: { statu: [] } } }),
      },
      400,
      "BAD_USER_INPUT",
      /Field "statu" is not defined by type "QueuedJobFilter"\.$/,
    ],
    [
      "too many possible fields",
      {
        headers: JSON_TYPE,
        body: JSON.stringify({
          query:
            "query ($n: Int) { users(first: $n) { nodes { queuedJobs(first: 100) { nodes " +
            "{ photos { id } } } } } }",
          variables: { n: 2 ** 31 - 1 },
        }),
      },
      400,
      "GRAPHQL_VALIDATION_FAILED",
      /^The operation can return up to 1012602 fields; the limit is 200000/,
    ],
    [
      "too deeply nested variables",
      {
        headers: JSON_TYPE,
        body:
          `{"query":"{ me { id } ` +
          `}","variables":{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}}`,
      },
      400,
      "GRAPHQL_VALIDATION_FAILED",
      /^The variables are nested deeper than 32 levels\.$/,
    ],
    [
      "thirty-one aliases",
      {
        headers: JSON_TYPE,
        body: JSON.stringify({
          query: `{ ${Array.from({ length: 31 }, (_, i) => `a${i}: me { id }`).join(" ")} }`,
        }),
      },
      400,
      "GRAPHQL_VALIDATION_FAILED",
      /^The operation has 31 aliases; the limit is 30\.$/,
    ],
    [
      "six errors, of which it reports five,",
      { headers: JSON_TYPE, body: JSON.stringify({ query: "{ a b c d e f }" }) },
      400,
      "GRAPHQL_VALIDATION_FAILED",
      /^Cannot query field "a" on type "Query"\.$/,
    ],
    [
      "introspection",
      { headers: JSON_TYPE, body: '{"query":"{ __schema { types { name } } }"}' },
      400,
      "GRAPHQL_VALIDATION_FAILED",
      /introspection is not allowed/,
    ],
    [
      "an unknown operation name",
      { headers: JSON_TYPE, body: '{"query":"query A { me { id } }","operationName":"B"}' },
      400,
      "GRAPHQL_VALIDATION_FAILED",
      /^Unknown operation named "B"\.$/,
    ],
    [
      "two operations and no name",
      { headers: JSON_TYPE, body: '{"query":"query A { me { id } } query B { me { id } }"}' },
      400,
      "GRAPHQL_VALIDATION_FAILED",
      /^Must provide operation name/,
    ],
    [
      "a subscription",
      { headers: JSON_TYPE, body: '{"query":"subscription { queuedJobEvents { type } }"}' },
      400,
      "BAD_REQUEST",
      /^Subscriptions are not available here: use a WebSocket on this path, or \/graphql\/stream\.$/,
    ],
    [
      "a mutation by GET",
      {
        method: "GET",
        path: `?query=${encodeURIComponent(MUTATION)}`,
        headers: { "apollo-require-preflight": "1" },
      },
      405,
      "BAD_REQUEST",
      /^GET requests only support query operations, not mutation operations$/,
    ],
    [
      "a GET that any page could send",
      { method: "GET", path: `?query=${encodeURIComponent("{ me { id } }")}` },
      400,
      "BAD_REQUEST",
      /potential Cross-Site Request Forgery/,
    ],
    [
      "another method",
      { method: "PUT", headers: JSON_TYPE, body: QUERY },
      405,
      "BAD_REQUEST",
      /supports only GET\/POST requests/,
    ],
    [
      "a deletion",
      { method: "DELETE", headers: JSON_TYPE },
      405,
      "BAD_REQUEST",
      /supports only GET\/POST requests/,
    ],
    [
      "a body of over 256 KiB",
      {
        headers: JSON_TYPE,
        body: JSON.stringify({ query: "{ me { id } }", variables: { a: "x".repeat(256 * 1024) } }),
      },
      413,
      "BAD_REQUEST",
      /^The request is too long: at most 262144 bytes\.$/,
    ],
  ];
  for (const [what, init, status, code, message] of REFUSED) {
    it(`refuse ${what} with ${status} ${code}, as GraphQL`, async () => {
      for (const accept of ["application/graphql-response+json", "application/json"]) {
        const response = await ask({
          ...init,
          headers: { ...(init.headers as Record<string, string>), accept },
        });
        assert.match(
          response.headers.get("content-type") ?? "",
          new RegExp(`^${accept.replaceAll("+", "\\+")}`),
        );
        const { errors } = (await response.json()) as {
          errors: { message: string; extensions: { code: string } }[];
        };
        assert.deepEqual(
          [response.status, errors[0]?.extensions.code],
          [status, code],
          errors[0]?.message,
        );
        assert.match(errors[0]?.message ?? "", message);
        if (what.startsWith("six errors"))
          assert.deepEqual(
            [errors.length, errors.at(-1)?.message],
            [6, "Too many validation errors, error limit reached. Validation aborted."],
          );
      }
    });
  }
});
