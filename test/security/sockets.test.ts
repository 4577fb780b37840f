// What a peer can do with a socket: before its upgrade, in its frames, in its messages. Sign-in is
// in tokens.test.ts, documents in documents.test.ts; limits that honest clients meet, too, and the
// time to sign in, are tested at test/server/graphql/websocket/graphql-sockets.test.ts.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/runner/eventually.js";
import { openRawSocket } from "../support/clients/raw-socket.js";
import { startAttackedService, LEAKS, type AttackedService } from "./attacked-service.js";
import { frame, openRawWebSocket, type RawWebSocket } from "./raw-websocket.js";
import { head, sendRaw } from "./raw-request.js";

const message = (content: unknown) =>
  frame(typeof content === "string" ? content : JSON.stringify(content));
const subscribe = (
  id: unknown,
  payload: unknown = { query: "subscription { queuedJobEvents { type } }" },
) => message({ type: "subscribe", id, payload });

const ORIGINS = [
  "https://evil.test",
  "null",
  "",
  "http://localhost:3000",
  "http://127.0.0.1",
  "https://app.example.test.evil.test",
  "https://evil.test/app.example.test",
  "https://app.example.test:444",
  "http://app.example.test",
  "https://xapp.example.test",
  "https://app.example.test@evil.test",
  "file://",
  "https://app.example.test, https://evil.test",
];

const FRAMES: [what: string, bytes: () => Buffer, codes: number[]][] = [
  ["a frame without a mask", () => frame("{}", { masked: false }), [1002]],
  ["a reserved bit", () => frame("{}", { reserved: 4 }), [1002]],
  ["all reserved bits", () => frame("{}", { reserved: 7 }), [1002]],
  ["an opcode that is none", () => frame("{}", { opcode: 3 }), [1002]],
  ["a control opcode that is none", () => frame("{}", { opcode: 11 }), [1002]],
  ["a continuation of nothing", () => frame("{}", { opcode: 0 }), [1002]],
  [
    "a second beginning before the first one's end",
    () => Buffer.concat([frame("{", { fin: false }), frame("}")]),
    [1002],
  ],
  ["a ping in pieces", () => frame("x", { opcode: 9, fin: false }), [1002]],
  ["a ping of 126 bytes", () => frame("x".repeat(126), { opcode: 9 }), [1002]],
  ["a close of one byte", () => frame("x", { opcode: 8 }), [1002]],
  [
    "a close with the code 1005, which nobody may send",
    () => frame(Buffer.of(3, 237), { opcode: 8 }),
    [1002],
  ],
  ["a close with the code 65535", () => frame(Buffer.of(255, 255), { opcode: 8 }), [1002]],
  [
    "a close whose reason is no UTF-8",
    () => frame(Buffer.of(3, 232, 255, 254), { opcode: 8 }),
    [1007],
  ],
  ["text that is no UTF-8", () => frame(Buffer.of(255, 254, 253)), [1007]],
  [
    "a length of 2⁶³",
    () => Buffer.concat([Buffer.of(0x81, 0xff, 0x80), Buffer.alloc(11)]),
    [1002, 1009],
  ],
  ["a length of 257 KiB, and nothing of it", () => frame("", { length: 257 * 1024 }), [1009]],
  [
    "257 KiB in pieces of 1 KiB",
    () =>
      Buffer.concat(
        Array.from({ length: 257 }, (_, i) =>
          frame("x".repeat(1024), { opcode: i === 0 ? 1 : 0, fin: false }),
        ),
      ),
    [1009],
  ],
  [
    "20,000 pieces of one byte",
    () =>
      Buffer.concat(
        Array.from({ length: 20_000 }, (_, i) =>
          frame("x", { opcode: i === 0 ? 1 : 0, fin: i === 19_999 }),
        ),
      ),
    [4400, 1008],
  ],
  [
    "compressed bytes where nothing was agreed",
    () => frame(Buffer.from("789c0300", "hex"), { reserved: 4, opcode: 2 }),
    [1002],
  ],
  ["HTTP in place of frames", () => Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n"), [1002, 1006]],
];

const FLOODS: [what: string, bytes: () => Buffer][] = [
  ["pings of the protocol", () => message({ type: "ping" })],
  ["completions of nothing", () => message({ type: "complete", id: "1" })],
];

const MESSAGES: [what: string, bytes: () => Buffer, codes: number[]][] = [
  [
    "bytes that are no JSON, as a binary frame",
    () => frame(Buffer.of(0, 1, 2), { opcode: 2 }),
    [4400],
  ],
  ["a list", () => message([]), [4400]],
  ["null", () => message("null"), [4400]],
  ["a text", () => message('"connection_init"'), [4400]],
  ["a number without end", () => message("1e999"), [4400]],
  ["100,000 open brackets", () => message("[".repeat(100_000)), [4400]],
  ["a message without a type", () => message({}), [4400]],
  ["a type by its prototype", () => message('{"__proto__":{"type":"ping"}}'), [4400]],
  [
    "a type of the older protocol",
    () => message({ type: "start", id: "1", payload: { query: "{ me { id } }" } }),
    [4400],
  ],
  ["a type that only servers send", () => message({ type: "connection_ack" }), [4400]],
  ["a result", () => message({ type: "next", id: "1", payload: { data: {} } }), [4400]],
  [
    "a subscription without an id",
    () => message({ type: "subscribe", payload: { query: "{ me { id } }" } }),
    [4400],
  ],
  ["a subscription with an empty id", () => subscribe(""), [4400]],
  ["a subscription whose id is a number", () => subscribe(1), [4400]],
  ["a subscription without a payload", () => message({ type: "subscribe", id: "1" }), [4400]],
  ["a subscription without a query", () => subscribe("1", {}), [4400]],
  ["a subscription whose query is an object", () => subscribe("1", { query: { a: 1 } }), [4400]],
  [
    "a subscription whose variables are a text",
    () => subscribe("1", { query: "{ me { id } }", variables: "x" }),
    [4400],
  ],
  [
    "a subscription whose operation's name is a number",
    () => subscribe("1", { query: "{ me { id } }", operationName: 1 }),
    [4400],
  ],
  ["a ping whose payload is a text", () => message({ type: "ping", payload: "x" }), [4400]],
  [
    "a sign-in whose payload is a list",
    () => message({ type: "connection_init", payload: [] }),
    [4400, 4403, 4429],
  ],
];

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
    it(`opens no socket from a page of ${origin || "no name"}`, async () => {
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
      "of a version of long ago",
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
      "with a subprotocol that is no word",
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
  it("agrees on no compression, which costs us more than them", async () => {
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
    it(`is closed for 400 ${what} in one moment`, async () => {
      const raw = await signedIn();
      raw.write(Buffer.concat(Array.from({ length: 400 }, bytes)));
      assert.equal(await raw.closed(), 4429);
    });
  }

  it("is closed for 400 pings of WebSocket itself, though it waits for each answer", async () => {
    const raw = await signedIn();
    const code = raw.closed();
    // More at once the library itself does not bear.
    for (let sent = 40; sent <= 400; sent += 40) {
      raw.write(Buffer.concat(Array.from({ length: 40 }, () => frame("zz", { opcode: 9 }))));
      await eventually(
        "all are answered",
        () => raw.received.split("zz").length > sent || raw.socket.destroyed || sent > 280,
      );
    }
    assert.equal(await code, 4429);
  });

  it("gets no work done before it has signed in, not even together with its sign-in", async () => {
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

  it("ends nothing by completing, and answering, what never was", async () => {
    const socket = openRawSocket(service.url);
    await socket.init(service.victim.token);
    for (const id of ["1", "__proto__", "constructor", "x".repeat(10_000)])
      socket.send({ type: "complete", id });
    for (let i = 0; i < 50; i++) socket.send({ type: "pong" });
    socket.send({ type: "subscribe", id: "__proto__", payload: { query: "{ me { email } }" } });
    const { payload } = await socket.next("it is answered", ({ id }) => id === "__proto__");
    assert.deepEqual(payload, { data: { me: { email: "victim@example.test" } } });
    socket.close();
  });

  it("that opens a thousand streams has a hundred, and holds nobody up", async () => {
    const raw = await signedIn();
    const begun = Date.now();
    raw.write(Buffer.concat(Array.from({ length: 250 }, (_, i) => subscribe(`${i}`))));
    await service.assertUnharmed();
    await eventually(
      "the rest is refused",
      () => raw.received.split("QUOTA_EXCEEDED").length - 1 >= 150 || raw.socket.destroyed,
    );
    assert.ok(Date.now() - begun < 5000);
    raw.socket.destroy();
  });

  it(
    "that sends 5,000 pings and reads nothing is no load, and no thousands of lines in the " +
      "log",
    async () => {
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
    },
  );

  it("that goes away in the middle of everything leaves the service as it was", async () => {
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
