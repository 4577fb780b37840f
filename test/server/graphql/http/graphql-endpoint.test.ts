import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { serverAudits } from "graphql-http";
import { openRawSocket } from "../../../support/clients/raw-socket.js";
import {
  startTestService,
  type TestService,
  type ProxiedService,
} from "../../../support/service/test-service.js";

const JSON_TYPE = { "content-type": "application/json" };
const QUERY = JSON.stringify({ query: "{ me { id } }" });
const FILTERED = "query ($f: QueuedJobFilter) { queuedJobs(filter: $f) { totalCount } }";
const MUTATION = "mutation { deleteMe }";

describe("POST and GET /graphql", () => {
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
      "a body that is no JSON",
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
      "text that a proxy let through",
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
      "a query that is no text",
      { headers: JSON_TYPE, body: '{"query":{"me":1}}' },
      400,
      "BAD_REQUEST",
      /^GraphQL queries must be strings\.$/,
    ],
    [
      "variables that are no object",
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
      "a field that is none, without a hint",
      { headers: JSON_TYPE, body: '{"query":"{ mee { id } }"}' },
      400,
      "GRAPHQL_VALIDATION_FAILED",
      /^Cannot query field "mee" on type "Query"\.$/,
    ],
    [
      "a value of a variable that is none, without a hint",
      {
        headers: JSON_TYPE,
        body: JSON.stringify({ query: FILTERED, variables: { f: { status: ["PENDIN"] } } }),
      },
      400,
      "BAD_USER_INPUT",
      /Value "PENDIN" does not exist in "QueuedJobStatus" enum\.$/,
    ],
    [
      "a field of a variable that is none, without a hint",
      {
        headers: JSON_TYPE,
        body: JSON.stringify({ query: FILTERED, variables: { f: { statu: [] } } }),
      },
      400,
      "BAD_USER_INPUT",
      /Field "statu" is not defined by type "QueuedJobFilter"\.$/,
    ],
    [
      "more than the rows of a page may hold",
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
      /^The operation asks for up to 1012602 fields; 200000 is the most/,
    ],
    [
      "variables nested too deep",
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
      /^The operation has 31 aliases; 30 is the most\.$/,
    ],
    [
      "six faults, of which it tells five",
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
      "the name of no operation",
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
      /^Subscriptions are served over the WebSocket of this path, and at \/graphql\/stream\.$/,
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
      "a GET that a page could make",
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
      /^The request is longer than 262144 bytes\.$/,
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
        if (what.startsWith("six faults"))
          assert.deepEqual(
            [errors.length, errors.at(-1)?.message],
            [6, "Too many validation errors, error limit reached. Validation aborted."],
          );
      }
    });
  }

  it("take a query by POST, and by GET with a header that no plain page can send", async () => {
    assert.equal((await ask({ headers: JSON_TYPE, body: QUERY })).status, 200);
    assert.equal(
      (
        await ask({
          method: "GET",
          path: `?query=${encodeURIComponent("{ me { id } }")}`,
          headers: { "apollo-require-preflight": "1" },
        })
      ).status,
      200,
    );
    assert.equal(
      (
        await ask({
          headers: { "content-type": "application/graphql+json; charset=utf-8" },
          body: QUERY,
        })
      ).status,
      200,
    );
  });

  it("have deleted nobody by GET", async () => {
    const get = async () =>
      (
        (await (await ask({ headers: JSON_TYPE, body: QUERY })).json()) as {
          data: { me: { id: string } };
        }
      ).data.me.id;
    const me = await get();
    await ask({
      method: "GET",
      path: `?query=${encodeURIComponent(MUTATION)}`,
      headers: { "apollo-require-preflight": "1" },
    });
    assert.equal(await get(), me);
  });

  it("take 256 KiB, and not a byte more", async () => {
    const room =
      256 * 1024 - JSON.stringify({ query: "{ me { id } }", variables: { a: "" } }).length;
    const body = (more: number) =>
      JSON.stringify({ query: "{ me { id } }", variables: { a: "x".repeat(room + more) } });
    assert.equal((await ask({ headers: JSON_TYPE, body: body(0) })).status, 200);
    assert.equal((await ask({ headers: JSON_TYPE, body: body(1) })).status, 413);
  });
});

describe("the endpoint with introspection, and with PostgreSQL away", () => {
  let counted: ProxiedService;
  before(async () => {
    counted = await startTestService({ proxied: true, workers: 0, env: { INTROSPECTION: "true" } });
  });
  after(() => counted.close());

  const HIDES =
    "Whoever looks at the status alone must see that nothing was done; the specification " +
    "itself asks for 400 under its own media type.";
  const FOREIGN =
    "A GET without a header of its own is what any page can make a browser send; with " +
    "`apollo-require-preflight` it is taken.";
  /** Audits that do not pass, none of them a MUST, and why they had better not. */
  const EXCEPTIONS: Record<string, [audit: string, why: string]> = {
    "572B": [
      "SHOULD use 200 status code on document parsing failure when accepting application/json",
      HIDES,
    ],
    FDE2: [
      "SHOULD use 200 status code on document validation failure when accepting application/json",
      HIDES,
    ],
    "7B9B": [
      "SHOULD use a status code of 200 on variable coercion failure when accepting " +
        "application/json",
      HIDES,
    ],
    "5A70": ["MAY accept application/x-www-form-urlencoded formatted GET requests", FOREIGN],
    D6D5: [
      "MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting " +
        "application/graphql-response+json",
      FOREIGN,
    ],
    "6A70": [
      "MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting " +
        "application/json",
      FOREIGN,
    ],
  };

  it(
    "hold all of GraphQL over HTTP's MUST, SHOULD and MAY but what would hide errors or " +
      "let pages ask by GET",
    async () => {
      const token = await counted.token();
      const brokenWith = async (more: Record<string, string>) => {
        const audits = serverAudits({
          url: `${counted.url}/graphql`,
          fetchFn: (url: string, init: RequestInit = {}) =>
            fetch(url, {
              ...init,
              headers: {
                ...(init.headers as Record<string, string>),
                authorization: `Bearer ${token}`,
                ...more,
              },
            }),
        });
        const results = await Promise.all(
          audits.map(async (audit) => ({
            name: `${audit.id} ${audit.name}`,
            result: await audit.fn(),
          })),
        );
        assert.ok(results.length > 60, `only ${results.length} audits`);
        return results
          .filter(({ result }) => result.status !== "ok")
          .map(({ name }) => name)
          .toSorted();
      };
      const namesOf = (exceptions: [string, [string, string]][]) =>
        exceptions.map(([id, [audit]]) => `${id} ${audit}`).toSorted();
      const all = Object.entries(EXCEPTIONS);
      assert.deepEqual(await brokenWith({}), namesOf(all));
      assert.deepEqual(
        await brokenWith({ "apollo-require-preflight": "1" }),
        namesOf(all.filter(([, [, why]]) => why !== FOREIGN)),
      );
    },
  );

  it(
    "everything is SERVICE_UNAVAILABLE, 503 over HTTP and 1013 for a new socket, and works " +
      "again afterwards",
    async () => {
      const known = await counted.person();
      await known.get("{ me { id } }");
      counted.postgres.down();
      const query = await known.ask("{ queuedJobs { totalCount } }");
      assert.deepEqual(
        [query.status, query.code, query.errors?.[0]?.message],
        [503, "SERVICE_UNAVAILABLE", "The database is away; try again in a moment."],
      );
      const newcomer = await counted.person();
      const signIn = await newcomer.ask("{ me { id } }");
      assert.deepEqual(
        [signIn.status, signIn.headers.get("retry-after"), signIn.code],
        [503, "2", "SERVICE_UNAVAILABLE"],
      );
      const upload = await newcomer.upload(Buffer.from("x"));
      assert.deepEqual([upload.status, upload.json["code"]], [503, "SERVICE_UNAVAILABLE"]);
      const socket = openRawSocket(counted.url);
      socket.send({
        type: "connection_init",
        payload: { authorization: `Bearer ${newcomer.token}` },
      });
      assert.deepEqual(await socket.closed(), { code: 1013, reason: "Try again later" });

      counted.postgres.up();
      assert.equal((await newcomer.ask("{ me { id } }")).status, 200);
      assert.equal((await known.enqueue("echo")).status, "PENDING");
    },
  );
});
