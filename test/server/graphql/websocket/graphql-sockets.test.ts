import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { frame, openRawWebSocket } from "../../../security/raw-websocket.js";
import { eventually } from "../../../support/runner/eventually.js";
import {
  openRawSocket,
  type Message,
  type RawSocket,
} from "../../../support/clients/raw-socket.js";
import { OPERATOR_PASSWORD, scrape } from "../../../support/clients/scrape.js";
import type { GraphqlError } from "../../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const STREAM =
  "subscription ($after: String) { queuedJobEvents(after: $after) { type queuedJob { id } } }";
const subscribe = (id: string, query: string, more: object = {}) => ({
  type: "subscribe",
  id,
  payload: { query, ...more },
});
const of =
  (wanted: string) =>
  ({ id }: Message) =>
    id === wanted;

describe("the sockets", () => {
  let service: TestService;
  const open: RawSocket[] = [];
  before(async () => {
    service = await startTestService({
      workers: 0,
      env: {
        MAX_SOCKETS_PER_USER: "2",
        MAX_SUBSCRIPTIONS_PER_SOCKET: "2",
        MAX_OPENING_SOCKETS: "4",
        ALLOWED_ORIGINS: "https://app.example.test",
        ADMIN_PASSWORD: OPERATOR_PASSWORD,
      },
    });
  });
  after(async () => {
    for (const socket of open) socket.close();
    await service.close();
  });

  function opened(options: Parameters<typeof openRawSocket>[1] = {}): RawSocket {
    const socket = openRawSocket(service.url, options);
    open.push(socket);
    return socket;
  }

  async function signedIn(token?: string): Promise<RawSocket> {
    const socket = opened();
    await socket.init(token ?? (await service.token()));
    return socket;
  }

  async function answered(
    socket: RawSocket,
    id: string,
    query: string,
    more: object = {},
  ): Promise<Message> {
    socket.send(subscribe(id, query, more));
    return socket.next(`${id} is answered`, of(id));
  }

  async function staysOpen(socket: RawSocket): Promise<void> {
    const had = socket.messages.length;
    socket.send({ type: "ping" });
    await socket.next(
      "a ping is answered",
      (message) => message.type === "pong" && socket.messages.indexOf(message) >= had,
    );
  }

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
      /^queuedJobId: is no id/,
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
      const socket = await signedIn();
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

  it("serve queries and mutations too", async () => {
    const socket = await signedIn();
    const { payload } = await answered(
      socket,
      "1",
      "mutation M($i: EnqueueJobInput!) { enqueueJob(input: $i) { status } }",
      { variables: { i: { job: "echo" } }, operationName: "M" },
    );
    assert.deepEqual(payload, { data: { enqueueJob: { status: "PENDING" } } });
    await socket.next("it completes", ({ type }) => type === "complete");
    socket.close();
  });

  it("refuse one subscription too many with QUOTA_EXCEEDED, and stay open with those they have", async () => {
    const person = await service.person();
    const socket = await signedIn(person.token);
    const variables = { after: await person.cursor() };
    for (const id of ["1", "2"]) socket.send(subscribe(id, STREAM, { variables }));
    const refusal = await answered(socket, "3", STREAM);
    const [error] = refusal.payload as GraphqlError[];
    assert.deepEqual(
      [refusal.type, error?.message, error?.extensions],
      [
        "error",
        "A socket may have 2 subscriptions at most.",
        { code: "QUOTA_EXCEEDED", retryAfterMs: 1000 },
      ],
    );

    const { id } = await person.enqueue("echo");
    for (const stream of ["1", "2"]) {
      const { payload } = await socket.next("it is told", of(stream));
      assert.deepEqual(payload, {
        data: { queuedJobEvents: { type: "QUEUED", queuedJob: { id } } },
      });
    }
    // What has ended makes room.
    socket.send({ type: "complete", id: "1" });
    await staysOpen(socket);
    assert.equal((await answered(socket, "4", STREAM, { variables })).type, "next");
    socket.close();
  });

  it(
    "close one socket too many of a user with 4429, and let another in its place when one " +
      "has gone",
    async () => {
      const [token, other] = [await service.token(), await service.token()];
      const first = await signedIn(token);
      const second = await signedIn(token);
      const third = opened();
      third.send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
      assert.deepEqual(await third.closed(), { code: 4429, reason: "Too many sockets" });
      (await signedIn(other)).close();
      first.close();
      await first.closed();
      (await signedIn(token)).close();
      await staysOpen(second);
      second.close();
    },
  );

  /** Sockets that hold every place, and say nothing. */
  async function holdAllPlaces(url = service.url): Promise<RawSocket[]> {
    const idle = Array.from({ length: 4 }, () => openRawSocket(url));
    open.push(...idle);
    await Promise.all(idle.map((socket) => staysOpen(socket)));
    return idle;
  }

  async function closeAll(sockets: RawSocket[]): Promise<void> {
    for (const socket of sockets) socket.close();
    await Promise.all(sockets.map((socket) => socket.closed()));
  }

  it("close idle ones with 4408 after two seconds when another waits for a place", async () => {
    const idle = await holdAllPlaces();
    const begun = Date.now();
    const fifth = await signedIn();
    assert.ok(Date.now() - begun < 4500, "it has waited for as long as nobody else does");
    const late = { code: 4408, reason: "Connection initialisation timeout" };
    await eventually("an idle one is closed", () =>
      idle.some((socket) => socket.end?.code === late.code),
    );
    await closeAll([...idle, fifth]);
    assert.ok(idle.some(({ end }) => end?.code === late.code && end.reason === late.reason));
    (await signedIn()).close();
  });

  it("close one with 1013 whose network holds every place, for a client of another network", async () => {
    const idle = await holdAllPlaces();
    const elsewhere = opened({ localAddress: "127.0.0.2" });
    await elsewhere.init(await service.token());
    await eventually("an idle one is closed", () => idle.some(({ end }) => end !== null));
    const ends = idle.flatMap(({ end }) => end ?? []);
    assert.deepEqual(ends, [{ code: 1013, reason: "Try again later" }]);
    await closeAll([...idle, elsewhere]);
  });

  it("close with 1013 what waits for a place when the service stops", async () => {
    const other = await service.addApi();
    await holdAllPlaces(other.url);
    const fifth = openRawSocket(other.url);
    await eventually("it waits", async () => {
      const metrics = await scrape(other.url);
      assert.equal(metrics.value("photos_sockets_opening"), 4);
      return metrics.value("photos_sockets_longest_wait_seconds") > 0;
    });
    await Promise.all([other.close(), fifth.closed()]);
    assert.deepEqual(fifth.end, { code: 1013, reason: "Try again later" });
  });

  it(
    "free the place of one that they close at once, and cut it off after a second, " +
      "whatever it does about it",
    async () => {
      const refused = await Promise.all(
        Array.from({ length: 4 }, () => openRawWebSocket(service.url)),
      );
      const begun = Date.now();
      const ended = refused.map(
        ({ socket }) => new Promise((resolve) => socket.once("close", resolve)),
      );
      for (const { write } of refused) write(frame(JSON.stringify({ type: "connection_init" })));
      await eventually("all are refused", () =>
        refused.every(({ received }) => received.includes("Forbidden")),
      );
      const refusedMs = Date.now() - begun;
      (await signedIn()).close();
      assert.ok(Date.now() - begun - refusedMs < 400, "their places were not free");
      await Promise.all(ended);
      assert.ok(Date.now() - begun < 5000, `they were cut off after ${Date.now() - begun} ms`);
    },
  );

  it("let one that came too early wait for its turn", async () => {
    const token = await service.token();
    const idle = Array.from({ length: 4 }, () => opened());
    await Promise.all(idle.map((socket) => staysOpen(socket)));
    const fifth = signedIn(token);
    await idle[0]?.init(token);
    (await fifth).close();
    for (const socket of idle) socket.close();
    await Promise.all(idle.map((socket) => socket.closed()));
  });

  it("close with 4408 when nobody has signed in after five seconds", async () => {
    const begun = Date.now();
    assert.deepEqual(await opened().closed(), {
      code: 4408,
      reason: "Connection initialisation timeout",
    });
    assert.ok(Date.now() - begun > 4900, "it was closed too early");
  });

  const BREACHES: [string, (socket: RawSocket, token: string) => void, number, string][] = [
    [
      "a subscription before sign-in",
      (socket) => socket.send(subscribe("1", STREAM)),
      4401,
      "Unauthorized",
    ],
    [
      "a second sign-in",
      (socket, token) =>
        [1, 2].forEach(() =>
          socket.send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } }),
        ),
      4429,
      "Too many initialisation requests",
    ],
    ["a message that is no JSON", (socket) => socket.send("{"), 4400, "Invalid message received"],
    [
      "a message of no known type",
      (socket) => socket.send({ type: "start", id: "1" }),
      4400,
      "Invalid message received",
    ],
    [
      "more than 300 messages at once",
      (socket) => Array.from({ length: 2000 }, () => socket.send({ type: "ping" })),
      4429,
      "Too many messages",
    ],
    [
      "a frame of over 256 KiB",
      (socket) => socket.send({ type: "ping", payload: { a: "x".repeat(256 * 1024) } }),
      1009,
      "",
    ],
  ];
  for (const [what, breach, code, reason] of BREACHES) {
    it(`close with ${code} after ${what}`, async () => {
      const socket = opened();
      breach(socket, await service.token());
      assert.deepEqual(await socket.closed(), { code, reason });
    });
  }

  it("count none of a user's that went away while it signed in", async () => {
    const issuedAt = Math.floor(Date.now() / 1000);
    // Of another time each, so that each is looked up anew, and the socket is gone before that is
    // done.
    for (let i = 0; i < 6; i++) {
      const token = await service.token({ sub: "hasty", iat: issuedAt - i });
      const socket = opened();
      for (let twice = 0; twice < 2; twice++)
        socket.send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
      await socket.closed();
    }
    (await signedIn(await service.token({ sub: "hasty" }))).close();
  });

  it("close with 4409 when an id is used twice at a time", async () => {
    const socket = await signedIn();
    for (let i = 0; i < 2; i++) socket.send(subscribe("1", STREAM));
    assert.deepEqual(await socket.closed(), {
      code: 4409,
      reason: "Subscriber for 1 already exists",
    });
  });

  it("close with 4406 whoever does not speak graphql-transport-ws", async () => {
    assert.deepEqual(await opened({ protocol: null }).closed(), {
      code: 4406,
      reason: "Subprotocol not acceptable",
    });
    // A client that offered another hangs up by itself, as none was chosen.
    assert.equal((await opened({ protocol: "graphql-ws" }).closed()).code, 1006);
  });

  it("are opened at /graphql only, whatever its query string", async () => {
    for (const path of ["/", "/graphql/", "/graphqlx", "/graphql/stream", "//graphql"])
      assert.equal(await opened({ path }).refused(), 404, path);
    const socket = opened({ path: "/graphql?a=1" });
    await socket.init(await service.token());
    socket.close();
  });

  it("are opened from allowed origins only", async () => {
    for (const origin of [
      "https://evil.test",
      "null",
      "http://localhost:3000",
      "https://app.example.test.evil.test",
    ])
      assert.equal(await opened({ headers: { origin } }).refused(), 403, origin);
    for (const origin of ["https://app.example.test", service.url]) {
      const socket = opened({ headers: { origin } });
      await socket.init(await service.token());
      socket.close();
    }
  });

  it("are closed with 1001 when the service stops", async () => {
    const other = await service.addApi();
    const socket = openRawSocket(other.url);
    await socket.init(await service.token());
    socket.send(subscribe("1", STREAM));
    await staysOpen(socket);
    await Promise.all([other.close(), socket.closed()]);
    assert.deepEqual(await socket.closed(), { code: 1001, reason: "Going away" });
  });
});
