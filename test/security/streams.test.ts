// Attacks on /graphql/stream. Other tests cover
// - documents.test.ts: documents
// - tenancy.test.ts: data of other users
// - test/server/graphql/sse/graphql-stream.test.ts: limits for honest clients
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { makeToken } from "../auth/make-token.js";
import { openEventStream } from "../support/clients/event-stream.js";
import { eventually } from "../support/runner/eventually.js";
import { startAttackedService, LEAKS, type AttackedService } from "./attacked-service.js";
import { FORGED_TOKENS } from "./forged-tokens.js";
import { head, sendRaw } from "./raw-request.js";

const KILL = "mutation { deleteMe }";
const json = (body: unknown) => (typeof body === "string" ? body : JSON.stringify(body));

const REQUESTS: [what: string, body: unknown, headers: string[], line?: string][] = [
  ["a batch", [{ query: KILL }, { query: KILL }], []],
  ["a mutation by GET", "", [], `GET /graphql/stream?query=${encodeURIComponent(KILL)}`],
  ["a mutation by HEAD", "", [], `HEAD /graphql/stream?query=${encodeURIComponent(KILL)}`],
  [
    "a form of another site",
    `query=${encodeURIComponent(KILL)}`,
    ["content-type: application/x-www-form-urlencoded"],
  ],
  ["JSON with the type text/plain", { query: KILL }, ["content-type: text/plain"]],
  ["JSON without a type", { query: KILL }, ["content-type:"]],
  ["JSON in UTF-16", Buffer.from(JSON.stringify({ query: KILL }), "utf16le"), []],
  ["JSON in gzip", Buffer.from("1f8b0800000000000003", "hex"), ["content-encoding: gzip"]],
  ["a query that is an object", { query: { toString: KILL } }, []],
  ["a query in __proto__", `{"__proto__":{"query":"${KILL}"}}`, []],
  ["variables that are a string", { query: "{ me { id } }", variables: "x" }, []],
  ["an operation name that is an object", { query: KILL, operationName: {} }, []],
  ["extensions that are a string", { query: KILL, extensions: "x" }, []],
  ["JSON 100,000 deep", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, []],
  ["a truncated body", '{"query":"mutation { deleteMe', []],
  ["an empty body", "", []],
  ["a body over 256 KiB", { query: KILL, padding: "x".repeat(256 * 1024) }, []],
  ["a reservation of a stream by PUT", "", [], "PUT /graphql/stream"],
  [
    "an operation of a reserved stream",
    { query: KILL },
    ["x-graphql-event-stream-token: x"],
    "DELETE /graphql/stream?operationId=1",
  ],
  ["a request for another type", { query: KILL }, ["accept: text/html"]],
];

describe("a hostile reader", () => {
  let service: AttackedService;
  before(async () => {
    service = await startAttackedService({
      ALLOWED_ORIGINS: "https://app.example.test",
      MAX_SOCKETS_PER_USER: "5",
    });
  });
  after(() => service.close());

  const QUERY = '{"query":"subscription { queuedJobEvents { type } }"}';
  const ask = (
    headers: string[],
    body: Buffer = Buffer.from(QUERY),
    line = "POST /graphql/stream",
    timeoutMs?: number,
  ) =>
    sendRaw(
      service.url,
      [
        head(line, [
          `content-length: ${body.length}`,
          ...(headers.some((header) => header.startsWith("content-type"))
            ? []
            : ["content-type: application/json"]),
          ...headers,
        ]),
        body,
      ],
      timeoutMs,
    );

  for (const [what, forge] of FORGED_TOKENS) {
    it(`with ${what} in its token gets no stream`, async () => {
      const { status, headers, body } = await ask([`authorization: Bearer ${forge(service)}`]);
      assert.deepEqual(
        [
          status,
          headers["content-type"]?.split(";")[0],
          (JSON.parse(body) as { errors: { extensions: object }[] }).errors[0]?.extensions,
        ],
        [401, "application/json", { code: "UNAUTHENTICATED" }],
      );
      assert.doesNotMatch(body, LEAKS);
    });
  }

  const token = () => makeToken(service.keys.rsa, service.good);
  for (const [what, headers, line] of [
    ["no token", () => [], undefined],
    [
      "a token in the address",
      () => [],
      () => `POST /graphql/stream?token=${token()}&access_token=${token()}`,
    ],
    [
      "a token in a cookie",
      () => [`cookie: authorization=Bearer ${token()}; token=${token()}`],
      undefined,
    ],
    [
      "a token in the header of reserved streams",
      () => [`x-graphql-event-stream-token: ${token()}`],
      undefined,
    ],
    [
      "a valid token after another one",
      () => ["authorization: Bearer x.y.z", `authorization: Bearer ${token()}`],
      undefined,
    ],
    [
      "two valid tokens",
      () => [`authorization: Bearer ${token()}`, `authorization: Bearer ${token()}`],
      undefined,
    ],
  ] as [string, () => string[], (() => string) | undefined][]) {
    it(`with ${what} gets no stream`, async () =>
      assert.equal((await ask(headers(), Buffer.from(QUERY), line?.())).status, 401));
  }

  for (const [what, body, headers, line] of REQUESTS) {
    it(`that sends ${what} is refused, and nothing is executed`, async () => {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(json(body));
      const { status, body: text } = await ask(
        [
          `authorization: Bearer ${service.victim.token}`,
          ...(headers.some((header) => header.startsWith("accept"))
            ? []
            : ["accept: text/event-stream"]),
          ...headers,
        ],
        bytes,
        line,
      );
      // If the stream has already started, it contains the error.
      assert.ok(
        [400, 404, 405, 406, 413, 415].includes(status) || /"errors":/.test(text),
        `${status} ${text}`,
      );
      assert.doesNotMatch(text, LEAKS);
      assert.doesNotMatch(text, /"data":/);
      await service.assertUnharmed();
    });
  }

  for (const origin of ["https://evil.test", "null", "https://app.example.test.evil.test"]) {
    it(`on a page of ${origin} may not read the stream`, async () => {
      const { headers } = await ask(
        [`authorization: Bearer ${service.victim.token}`, `origin: ${origin}`],
        undefined,
        undefined,
        200,
      );
      assert.deepEqual(
        [headers["access-control-allow-origin"], headers["access-control-allow-credentials"]],
        [undefined, undefined],
      );
    });
  }

  it("gets headers that forbid caching, sniffing and framing", async () => {
    const { status, headers } = await ask(
      [`authorization: Bearer ${service.victim.token}`],
      undefined,
      undefined,
      200,
    );
    assert.deepEqual(
      [
        status,
        headers["content-type"],
        headers["cache-control"],
        headers["x-content-type-options"],
        headers["x-frame-options"],
      ],
      [200, "text/event-stream; charset=utf-8", "no-cache", "nosniff", "SAMEORIGIN"],
    );
    for (const name of ["x-powered-by", "server", "set-cookie"])
      assert.equal(headers[name], undefined, name);
  });

  it("cannot forge events with line ends in its data", async () => {
    const message = "\n\nevent: complete\ndata:\n\nevent: next\ndata: {}\r\r\u2028";
    const { id } = await service.victim.enqueue("echo", { message });
    const stream = await openEventStream(service.url, service.victim.token, {
      query: "query ($id: ID!) { queuedJob(id: $id) { parameters } }",
      variables: { id },
    });
    assert.equal(await stream.ended(), "complete");
    const results = stream.results as unknown as {
      data: { queuedJob: { parameters: { message: string } } };
    }[];
    assert.deepEqual(
      results.map(({ data }) => data.queuedJob.parameters.message),
      [message],
    );
    await service.victim.get("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", { id });
  });

  it("gets as many streams as the socket limit allows, and frees them when it leaves", async () => {
    const stranger = await service.stranger();
    const open = () => openEventStream(service.url, stranger.token, QUERY);
    const streams = await Promise.all(Array.from({ length: 12 }, open));
    assert.deepEqual(streams.map(({ status }) => status).toSorted(), [
      ...Array.from({ length: 5 }, () => 200),
      ...Array.from({ length: 7 }, () => 429),
    ]);
    for (const stream of streams) stream.stop();
    const again = await eventually("a new stream is accepted", async () => {
      const stream = await open();
      return stream.status === 200 && stream;
    });
    again.stop();
  });

  it("does not harm the service", () => service.assertUnharmed());
});
