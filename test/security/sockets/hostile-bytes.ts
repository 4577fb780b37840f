// What a hostile peer sends through a socket, and how it is closed for it.
import { frame } from "../raw-websocket.js";

export const message = (content: unknown) =>
  frame(typeof content === "string" ? content : JSON.stringify(content));
export const subscribe = (
  id: unknown,
  payload: unknown = { query: "subscription { queuedJobEvents { type } }" },
) => message({ type: "subscribe", id, payload });

export const ORIGINS = [
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

export const FRAMES: [what: string, bytes: () => Buffer, codes: number[]][] = [
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

export const FLOODS: [what: string, bytes: () => Buffer][] = [
  ["pings of the protocol", () => message({ type: "ping" })],
  ["completions of nothing", () => message({ type: "complete", id: "1" })],
];

export const MESSAGES: [what: string, bytes: () => Buffer, codes: number[]][] = [
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
