// Hostile documents over HTTP, WebSocket and event streams. Each is refused quickly, with a code of
// the contract, and without being executed.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openEventStream } from "../support/clients/event-stream.js";
import { openRawSocket } from "../support/clients/raw-socket.js";
import type { GraphqlError } from "../support/clients/test-client.js";
import { startAttackedService, LEAKS, type AttackedService } from "./attacked-service.js";
import { NONE, type HostileDocument } from "./documents/hostile-document.js";
import { HOSTILE_DOCUMENTS } from "./documents/hostile-documents.js";
import { head, sendRaw } from "./raw-request.js";

/** A generous limit, for busy machines. */
const MAX_MS = 2000;

interface Body {
  data?: unknown;
  errors?: GraphqlError[];
}

describe("a hostile document", () => {
  let service: AttackedService;
  before(async () => {
    service = await startAttackedService();
    await service.victim.enqueue(
      "echo",
      {},
      { runAt: new Date(Date.now() + 3_600_000).toISOString() },
    );
  });
  after(() => service.close());

  function assertAnswer({ codes, limit }: HostileDocument, text: string, ms: number): void {
    const { data, errors } = JSON.parse(text) as Body;
    const actual = errors ? errors.map(({ extensions }) => extensions.code) : [NONE];
    for (const code of actual) assert.ok(codes.includes(code), `${code}: ${text.slice(0, 300)}`);
    if (limit)
      assert.equal(
        (errors?.[0]?.extensions as { limit?: string } | undefined)?.limit,
        limit,
        text.slice(0, 300),
      );
    assert.ok(ms < MAX_MS, `it took ${ms} ms`);
    assert.ok(text.length < 10_000, `the answer has ${text.length} characters`);
    assert.doesNotMatch(text, LEAKS);
    assert.doesNotMatch(text, /did you mean/i);
    if (!codes.includes(NONE))
      assert.ok(
        data === undefined || data === null || Object.values(data).every((value) => value === null),
        "the document was executed",
      );
  }

  async function overHttp(request: string): Promise<string> {
    const response = await fetch(`${service.url}/graphql`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${service.victim.token}`,
        "content-type": "application/json",
      },
      body: request,
    });
    assert.ok([200, 400].includes(response.status), `${response.status}`);
    return response.text();
  }

  async function overSocket(request: string): Promise<string> {
    const socket = openRawSocket(service.url);
    await socket.init(service.victim.token);
    socket.send(`{"type":"subscribe","id":"1","payload":${request}}`);
    const { type, payload } = await socket.next("a response", ({ id }) => id === "1");
    // The socket still accepts the next operation.
    socket.send({ type: "subscribe", id: "2", payload: { query: "{ me { __typename } }" } });
    assert.deepEqual((await socket.next("the next response", ({ id }) => id === "2")).payload, {
      data: { me: { __typename: "User" } },
    });
    socket.close();
    return JSON.stringify(type === "error" ? { errors: payload } : payload);
  }

  async function inStream(request: string): Promise<string> {
    const stream = await openEventStream(service.url, service.victim.token, request);
    assert.ok([200, 400].includes(stream.status), `${stream.status}`);
    await stream.ended();
    assert.equal(stream.results.length, 1);
    return JSON.stringify(stream.results[0]);
  }

  for (const document of HOSTILE_DOCUMENTS) {
    const { what, query, variables } = document;
    const variablesJson =
      typeof variables === "string" ? variables : JSON.stringify(variables ?? {});
    const request = `{"query":${JSON.stringify(query)},"variables":${variablesJson}}`;
    for (const [way, ask] of [
      ["HTTP", overHttp],
      ["the socket", overSocket],
      ["a stream", inStream],
    ] as const) {
      it(`with ${what} is refused over ${way}`, async () => {
        const startedAt = Date.now();
        const text = await ask(request);
        assertAnswer(document, text, Date.now() - startedAt);
      });
    }
  }

  const KILL = "mutation { deleteMe }";
  const json = (body: unknown) => (typeof body === "string" ? body : JSON.stringify(body));
  const REQUESTS: [what: string, body: unknown, headers: string[], line?: string][] = [
    ["a batch", [{ query: KILL }, { query: KILL }], []],
    ["a batch of 1,000", Array.from({ length: 1000 }, () => ({ query: "{ me { id } }" })), []],
    [
      "a mutation by GET",
      "",
      ["apollo-require-preflight: 1"],
      `GET /graphql?query=${encodeURIComponent(KILL)}`,
    ],
    [
      "a mutation by GET with method override headers",
      "",
      ["x-http-method-override: POST", "apollo-require-preflight: 1"],
      `GET /graphql?query=${encodeURIComponent(KILL)}&_method=POST`,
    ],
    ["a mutation by HEAD", "", [], `HEAD /graphql?query=${encodeURIComponent(KILL)}`],
    ["a mutation by PUT", { query: KILL }, [], "PUT /graphql"],
    [
      "a form of another site",
      `query=${encodeURIComponent(KILL)}`,
      ["content-type: application/x-www-form-urlencoded"],
    ],
    [
      "a form with files of another site",
      "--x\r\ncontent-disposition: form-data; " +
        'name="operations"\r\n\r\n{"query":"mutation { deleteMe }"}\r\n--x--\r\n',
      ["content-type: multipart/form-data; boundary=x"],
    ],
    ["JSON with the type text/plain", { query: KILL }, ["content-type: text/plain"]],
    ["JSON without a type", { query: KILL }, ["content-type:"]],
    ["GraphQL with the type application/graphql", KILL, ["content-type: application/graphql"]],
    [
      "JSON in UTF-16",
      Buffer.from(`\ufeff${JSON.stringify({ query: KILL })}`, "utf16le"),
      ["content-type: application/json; charset=utf-16le"],
    ],
    ["JSON in gzip", Buffer.from("1f8b0800000000000003", "hex"), ["content-encoding: gzip"]],
    [
      "the hash of a persisted query",
      { extensions: { persistedQuery: { version: 1, sha256Hash: "a".repeat(64) } } },
      [],
    ],
    [
      "a query to persist",
      { query: KILL, extensions: { persistedQuery: { version: 1, sha256Hash: "a".repeat(64) } } },
      [],
    ],
    ["a query that is an object", { query: { toString: KILL } }, []],
    ["a query that is a list", { query: [KILL] }, []],
    ["a query in __proto__", `{"__proto__":{"query":"${KILL}"}}`, []],
    ["variables that are a string", { query: "{ me { id } }", variables: "x" }, []],
    ["variables that are a list", { query: "{ me { id } }", variables: [] }, []],
    ["an operation name that is an object", { query: KILL, operationName: {} }, []],
    ["JSON 100,000 deep", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, []],
    ["a truncated body", '{"query":"mutation { deleteMe', []],
    ["a number", "1e999", []],
    ["an empty body", "", []],
    ["NUL", "\0", []],
    ["a body over 256 KiB", { query: KILL, padding: "x".repeat(256 * 1024) }, []],
  ];
  for (const [what, body, headers, line = "POST /graphql"] of REQUESTS) {
    it(`sent as ${what} is refused with a GraphQL error`, async () => {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(json(body));
      const type = headers.some((header) => header.startsWith("content-type"))
        ? []
        : ["content-type: application/json"];
      const {
        status,
        headers: answered,
        body: text,
      } = await sendRaw(service.url, [
        head(line, [
          `authorization: Bearer ${service.victim.token}`,
          `content-length: ${bytes.length}`,
          ...type,
          ...headers,
        ]),
        bytes,
      ]);
      assert.ok([400, 404, 405, 413, 415].includes(status), `${status} ${text}`);
      assert.doesNotMatch(text, LEAKS);
      if (line.startsWith("HEAD")) return;
      assert.match(answered["content-type"] ?? "", /^application\/(graphql-response\+)?json/);
      const { data, errors } = JSON.parse(text) as Body;
      assert.ok(
        data === undefined &&
          errors?.every(({ extensions }) =>
            ["BAD_REQUEST", "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].includes(
              extensions.code,
            ),
          ),
        text,
      );
    });
  }

  it("has changed no data and has not harmed the service", async () => {
    const rows = await service.database.sql`select status, version from queued_jobs`;
    assert.deepEqual(
      rows.map((row) => [row["status"], row["version"]]),
      [["PENDING", 1]],
    );
    await service.assertUnharmed();
  });
});
