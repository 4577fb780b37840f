import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  STREAMED_EVENTS,
  openEventStream,
  type EventStream,
} from "../../../../support/clients/event-stream.js";
import { startTestService, type TestService } from "../../../../support/service/test-service.js";

const WATCH = { query: STREAMED_EVENTS };
const MAX_CONNECTIONS = 3;

describe("streams over HTTP", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ env: { MAX_SOCKETS_PER_USER: String(MAX_CONNECTIONS) } });
  });
  after(() => service.close());

  const refusalOf = ({ status, headers, results }: EventStream) => [
    status,
    headers.get("content-type"),
    results[0]?.errors?.[0]?.extensions.code,
    results[0]?.errors?.[0]?.message,
  ];

  async function asked(
    token: string | null,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<EventStream> {
    const stream = await openEventStream(service.url, token, body, headers);
    await stream.ended();
    return stream;
  }

  const MALFORMED: [string, unknown, Record<string, string>, number, RegExp][] = [
    ["a body that is not JSON", "{", {}, 400, /^Missing body$/],
    ["a body without a query", {}, {}, 400, /^Missing query$/],
    ["a query that is not a string", { query: 1 }, {}, 400, /^Invalid query$/],
    [
      "another type of body",
      "query=1",
      { "content-type": "text/plain" },
      415,
      /^Not a GraphQL request: send a JSON object with a "query"\.$/,
    ],
    [
      "a body of over 256 KiB",
      { query: "#".repeat(256 * 1024) },
      {},
      413,
      /^The request is too long: at most 262144 bytes\.$/,
    ],
    [
      "a client that does not accept a stream",
      WATCH,
      { accept: "application/json" },
      406,
      /^This path answers with text\/event-stream: allow it in the header "accept"\.$/,
    ],
  ];
  for (const [what, body, headers, status, message] of MALFORMED) {
    it(`refuse ${what} with ${status}, BAD_REQUEST`, async () => {
      const [httpStatus, media, code, text] = refusalOf(
        await asked(await service.token(), body, headers),
      );
      assert.deepEqual(
        [httpStatus, media, code],
        [status, "application/json; charset=utf-8", "BAD_REQUEST"],
      );
      assert.match(String(text), message);
    });
  }

  const FAULTS: [string, object, string, RegExp][] = [
    ["a syntax error", { query: "subscription {" }, "GRAPHQL_PARSE_FAILED", /^Syntax Error/],
    [
      "an unknown field, without a suggestion,",
      { query: "{ mee { id } }" },
      "GRAPHQL_VALIDATION_FAILED",
      /^Cannot query field "mee" on type "Query"\.$/,
    ],
    [
      "introspection",
      { query: "{ __schema { types { name } } }" },
      "GRAPHQL_VALIDATION_FAILED",
      /introspection has been disabled/,
    ],
    [
      "too many tokens",
      { query: `{ ${"me { id } ".repeat(2000)} }` },
      "GRAPHQL_VALIDATION_FAILED",
      /^The document has more than 2000 tokens\.$/,
    ],
    [
      "an unknown operation name",
      { ...WATCH, operationName: "B" },
      "GRAPHQL_VALIDATION_FAILED",
      /^Unknown operation named "B"\.$/,
    ],
    [
      "an invalid id",
      { ...WATCH, variables: { id: "1" } },
      "BAD_USER_INPUT",
      /^queuedJobId: is not an id/,
    ],
    [
      "variables of a wrong type",
      { ...WATCH, variables: { after: 1 } },
      "BAD_USER_INPUT",
      /^Variable "\$after" got invalid value 1/,
    ],
    ["an invalid cursor", { ...WATCH, variables: { after: "x" } }, "BAD_USER_INPUT", /^after: /],
    [
      "an unknown job",
      { ...WATCH, variables: { id: "01a20ec0-0000-7000-8000-000000000000" } },
      "NOT_FOUND",
      /./,
    ],
  ];
  for (const [what, body, code, message] of FAULTS) {
    it(`return ${code} for ${what} as the result of the operation, and complete`, async () => {
      const { status, results, end } = await asked(await service.token(), body);
      assert.deepEqual(
        [status, results.length, end, results[0]?.errors?.[0]?.extensions.code],
        [200, 1, "complete", code],
      );
      assert.match(results[0]?.errors?.[0]?.message ?? "", message);
    });
  }
});
