// Attacks on sockets: before the upgrade, through frames, and through messages. Other tests cover
// - tokens.test.ts: sign-in
// - documents.test.ts: documents
// - test/server/graphql/websocket/graphql-sockets.test.ts: limits for honest clients, and timeouts
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/runner/eventually.js";
import { openRawSocket } from "../support/clients/raw-socket.js";
import { startAttackedService, LEAKS, type AttackedService } from "./attacked-service.js";
import { frame, openRawWebSocket, type RawWebSocket } from "./raw-websocket.js";
import { head, sendRaw } from "./raw-request.js";
import { FLOODS, FRAMES, MESSAGES, ORIGINS, message, subscribe } from "./sockets/hostile-bytes.js";

describe("a hostile peer", () => {
  let service: AttackedService;
  before(async () => {
    service = await startAttackedService({ ALLOWED_ORIGINS: "https://app.example.test" });
  });
  after(() => service.close());

  async function signedIn(): Promise<RawWebSocket> {
    const raw = await openRawWebSocket(service.url);
    raw.write(
      message({
        type: "connection_init",
        payload: { authorization: `Bearer ${service.victim.token}` },
      }),
    );
    await eventually("the sign-in is acknowledged", () => raw.received.includes("connection_ack"));
    return raw;
  }

  for (const origin of ORIGINS) {
    it(`opens no socket from a page of ${origin || "an empty origin"}`, async () => {
      const { status } = await openRawWebSocket(service.url, [
        "sec-websocket-protocol: graphql-transport-ws",
        `origin: ${origin}`,
      ]);
      assert.equal(status, 403);
    });
  }
  for (const path of [
    "/",
    "/photos",
    "/graphql/",
    "/graphql/../graphql",
    "/GRAPHQL",
    "/%67raphql",
    "//graphql",
    "/admin/queues",
    "/health/live",
  ]) {
    it(`opens no socket at ${path}`, async () =>
      assert.equal(
        (
          await openRawWebSocket(
            service.url,
            ["sec-websocket-protocol: graphql-transport-ws"],
            path,
          )
        ).status,
        404,
      ));
  }
  for (const [what, line, headers] of [
    [
      "by POST",
      "POST /graphql",
      ["sec-websocket-version: 13", "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=="],
    ],
    [
      "with an old protocol version",
      "GET /graphql",
      ["sec-websocket-version: 7", "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=="],
    ],
    ["with no key", "GET /graphql", ["sec-websocket-version: 13"]],
    [
      "with a key of another length",
      "GET /graphql",
      ["sec-websocket-version: 13", "sec-websocket-key: AAAA"],
    ],
    [
      "with a subprotocol list that is not valid",
      "GET /graphql",
      [
        "sec-websocket-version: 13",
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
        "sec-websocket-protocol: a,,b",
      ],
    ],
  ] as const) {
    it(`opens no socket ${what}`, async () => {
      const { status } = await sendRaw(
        service.url,
        `${line} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade\r\nupgrade: ` +
          `websocket\r\n${headers.join("\r\n")}\r\n\r\n`,
      );
      assert.ok([400, 405, 426].includes(status), String(status));
    });
  }
  it("gets no compression, which would cost the server more than the peer", async () => {
    const raw = await openRawWebSocket(service.url, [
      "sec-websocket-protocol: graphql-transport-ws",
      "sec-websocket-extensions: permessage-deflate; client_max_window_bits",
    ]);
    raw.write(frame("{}", { reserved: 4 }));
    assert.deepEqual([raw.status, await raw.closed()], [101, 1002]);
  });
  it("gets no upgrade to another protocol", async () => {
    const { status } = await sendRaw(
      service.url,
      head("GET /health/live", ["upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__"]),
    );
    assert.ok([200, 400, 404].includes(status), String(status));
  });

  for (const [what, bytes, codes] of FRAMES) {
    it(`is closed for ${what}`, async () => {
      const raw = await signedIn();
      raw.write(bytes());
      assert.ok(codes.includes(await raw.closed()), raw.received);
      assert.doesNotMatch(raw.received, LEAKS);
    });
  }
  for (const [what, bytes, codes] of MESSAGES) {
    it(`is closed for ${what}`, async () => {
      const raw = await signedIn();
      raw.write(bytes());
      const code = await raw.closed();
      assert.ok(codes.includes(code), `${code}`);
      assert.doesNotMatch(raw.received, LEAKS);
    });
    it(`is closed for ${what} before it has signed in`, async () => {
      const raw = await openRawWebSocket(service.url);
      raw.write(bytes());
      const code = await raw.closed();
      assert.ok([...codes, 4401, 4403].includes(code), `${code}`);
    });
  }

  for (const [what, bytes] of FLOODS) {
    it(`is closed for 400 ${what} at once`, async () => {
      const raw = await signedIn();
      raw.write(Buffer.concat(Array.from({ length: 400 }, bytes)));
      assert.equal(await raw.closed(), 4429);
    });
  }

  it("is closed for 400 WebSocket pings, even if it waits for the pongs", async () => {
    const raw = await signedIn();
    const code = raw.closed();
    // The ws library itself closes at more pings at once.
    for (let sent = 40; sent <= 400; sent += 40) {
      raw.write(Buffer.concat(Array.from({ length: 40 }, () => frame("zz", { opcode: 9 }))));
      await eventually(
        "all pings are answered",
        () => raw.received.split("zz").length > sent || raw.socket.destroyed || sent > 280,
      );
    }
    assert.equal(await code, 4429);
  });

  it("cannot run an operation before its sign-in is acknowledged", async () => {
    const raw = await openRawWebSocket(service.url);
    raw.write(
      Buffer.concat([
        message({
          type: "connection_init",
          payload: { authorization: `Bearer ${service.victim.token}` },
        }),
        subscribe("1", { query: "mutation { deleteMe }" }),
      ]),
    );
    assert.equal(await raw.closed(), 4401);
    assert.doesNotMatch(raw.received, /deleteMe/);
  });

  it("has no effect with completions and pongs that match nothing", async () => {
    const socket = openRawSocket(service.url);
    await socket.init(service.victim.token);
    for (const id of ["1", "__proto__", "constructor", "x".repeat(10_000)])
      socket.send({ type: "complete", id });
    for (let i = 0; i < 50; i++) socket.send({ type: "pong" });
    socket.send({ type: "subscribe", id: "__proto__", payload: { query: "{ me { email } }" } });
    const { payload } = await socket.next("a response", ({ id }) => id === "__proto__");
    assert.deepEqual(payload, { data: { me: { email: "victim@example.test" } } });
    socket.close();
  });

  it("that opens 250 streams gets 100, and does not block other users", async () => {
    const raw = await signedIn();
    const startedAt = Date.now();
    raw.write(Buffer.concat(Array.from({ length: 250 }, (_, i) => subscribe(`${i}`))));
    await service.assertUnharmed();
    await eventually(
      "the other streams are refused",
      () => raw.received.split("QUOTA_EXCEEDED").length - 1 >= 150 || raw.socket.destroyed,
    );
    assert.ok(Date.now() - startedAt < 5000);
    raw.socket.destroy();
  });

  it("that sends 5,000 pings without reading does not block the service or its log", async () => {
    const raw = await signedIn();
    const lines = service.logged.length;
    raw.socket.pause();
    raw.write(
      Buffer.concat(
        Array.from({ length: 5000 }, () =>
          message({ type: "ping", payload: { a: "x".repeat(100) } }),
        ),
      ),
    );
    await service.assertUnharmed();
    raw.socket.resetAndDestroy();
    await service.assertUnharmed();
    assert.ok(service.logged.length - lines < 50, `${service.logged.length - lines} lines`);
  });

  it("that disconnects during its operations does not harm the service", async () => {
    for (let i = 0; i < 20; i++) {
      const raw = await signedIn();
      raw.write(
        Buffer.concat([
          subscribe("1"),
          subscribe("2", { query: "{ queuedJobs(first: 100) { nodes { id } } }" }),
          frame("x".repeat(100), { length: 5000 }),
        ]),
      );
      raw.socket.resetAndDestroy();
    }
    await service.assertUnharmed();
  });
});
