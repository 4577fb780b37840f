import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openRawSocket, type RawSocket } from "../../../support/clients/raw-socket.js";
import type { GraphqlError } from "../../../support/clients/test-client.js";
import { SocketScene, answered, of, staysOpen, subscribe } from "./graphql-sockets/scene.js";

const STREAM =
  "subscription ($after: String) { queuedJobEvents(after: $after) { type queuedJob { id } } }";
describe("the sockets", () => {
  let scene: SocketScene;
  before(async () => {
    scene = await SocketScene.start();
  });
  after(() => scene.close());

  it("serve queries and mutations", async () => {
    const socket = await scene.signedIn();
    const { payload } = await answered(
      socket,
      "1",
      "mutation M($i: EnqueueJobInput!) { enqueueJob(input: $i) { status } }",
      { variables: { i: { job: "echo" } }, operationName: "M" },
    );
    assert.deepEqual(payload, { data: { enqueueJob: { status: "PENDING" } } });
    await socket.next("the completion", ({ type }) => type === "complete");
    socket.close();
  });

  it("refuse one subscription too many with QUOTA_EXCEEDED, and keep the others", async () => {
    const person = await scene.service.person();
    const socket = await scene.signedIn(person.token);
    const variables = { after: await person.cursor() };
    for (const id of ["1", "2"]) socket.send(subscribe(id, STREAM, { variables }));
    const refusal = await answered(socket, "3", STREAM);
    const [error] = refusal.payload as GraphqlError[];
    assert.deepEqual(
      [refusal.type, error?.message, error?.extensions],
      [
        "error",
        "Too many subscriptions: at most 2 per socket.",
        { code: "QUOTA_EXCEEDED", retryAfterMs: 1000 },
      ],
    );

    const { id } = await person.enqueue("echo");
    for (const stream of ["1", "2"]) {
      const { payload } = await socket.next("the event", of(stream));
      assert.deepEqual(payload, {
        data: { queuedJobEvents: { type: "QUEUED", queuedJob: { id } } },
      });
    }
    // An ended subscription makes room.
    socket.send({ type: "complete", id: "1" });
    await staysOpen(socket);
    assert.equal((await answered(socket, "4", STREAM, { variables })).type, "next");
    socket.close();
  });

  it("close one socket too many of a user with 4429, until another one is closed", async () => {
    const [token, other] = [await scene.service.token(), await scene.service.token()];
    const first = await scene.signedIn(token);
    const second = await scene.signedIn(token);
    const third = scene.opened();
    third.send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
    assert.deepEqual(await third.closed(), { code: 4429, reason: "Too many sockets" });
    (await scene.signedIn(other)).close();
    first.close();
    await first.closed();
    (await scene.signedIn(token)).close();
    await staysOpen(second);
    second.close();
  });

  it("close with 4408 without a sign-in within five seconds", async () => {
    const startedAt = Date.now();
    assert.deepEqual(await scene.opened().closed(), {
      code: 4408,
      reason: "Connection initialisation timeout",
    });
    assert.ok(Date.now() - startedAt > 4900, "it was closed too early");
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
    ["a message that is not JSON", (socket) => socket.send("{"), 4400, "Invalid message received"],
    [
      "a message of an unknown type",
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
      const socket = scene.opened();
      breach(socket, await scene.service.token());
      assert.deepEqual(await socket.closed(), { code, reason });
    });
  }

  it("do not count a socket that disconnected during its sign-in", async () => {
    const issuedAt = Math.floor(Date.now() / 1000);
    // A different issue time makes each token new, so that the socket closes during the look-up.
    for (let i = 0; i < 6; i++) {
      const token = await scene.service.token({ sub: "hasty", iat: issuedAt - i });
      const socket = scene.opened();
      for (let twice = 0; twice < 2; twice++)
        socket.send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
      await socket.closed();
    }
    (await scene.signedIn(await scene.service.token({ sub: "hasty" }))).close();
  });

  it("close with 4409 when an id is used twice", async () => {
    const socket = await scene.signedIn();
    for (let i = 0; i < 2; i++) socket.send(subscribe("1", STREAM));
    assert.deepEqual(await socket.closed(), {
      code: 4409,
      reason: "Subscriber for 1 already exists",
    });
  });

  it("close with 4406 a client without graphql-transport-ws", async () => {
    assert.deepEqual(await scene.opened({ protocol: null }).closed(), {
      code: 4406,
      reason: "Subprotocol not acceptable",
    });
    // A client that offered another protocol disconnects itself, since none was selected.
    assert.equal((await scene.opened({ protocol: "graphql-ws" }).closed()).code, 1006);
  });

  it("open only at /graphql, with any query string", async () => {
    for (const path of ["/", "/graphql/", "/graphqlx", "/graphql/stream", "//graphql"])
      assert.equal(await scene.opened({ path }).refused(), 404, path);
    const socket = scene.opened({ path: "/graphql?a=1" });
    await socket.init(await scene.service.token());
    socket.close();
  });

  it("open only from allowed origins", async () => {
    for (const origin of [
      "https://evil.test",
      "null",
      "http://localhost:3000",
      "https://app.example.test.evil.test",
    ])
      assert.equal(await scene.opened({ headers: { origin } }).refused(), 403, origin);
    for (const origin of ["https://app.example.test", scene.service.url]) {
      const socket = scene.opened({ headers: { origin } });
      await socket.init(await scene.service.token());
      socket.close();
    }
  });

  it("are closed with 1001 when the service stops", async () => {
    const other = await scene.service.addApi();
    const socket = openRawSocket(other.url);
    await socket.init(await scene.service.token());
    socket.send(subscribe("1", STREAM));
    await staysOpen(socket);
    await Promise.all([other.close(), socket.closed()]);
    assert.deepEqual(await socket.closed(), { code: 1001, reason: "Going away" });
  });
});
