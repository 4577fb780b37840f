// Bytes that a hostile peer sends through a socket, and the expected close codes.
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
  ["an unknown opcode", () => frame("{}", { opcode: 3 }), [1002]],
  ["an unknown control opcode", () => frame("{}", { opcode: 11 }), [1002]],
  ["a continuation without a message", () => frame("{}", { opcode: 0 }), [1002]],
  [
    "a new message within a fragmented one",
    () => Buffer.concat([frame("{", { fin: false }), frame("}")]),
    [1002],
  ],
  ["a fragmented ping", () => frame("x", { opcode: 9, fin: false }), [1002]],
  ["a ping of 126 bytes", () => frame("x".repeat(126), { opcode: 9 }), [1002]],
  ["a close of one byte", () => frame("x", { opcode: 8 }), [1002]],
  [
    "a close with the code 1005, which may not be sent",
    () => frame(Buffer.of(3, 237), { opcode: 8 }),
    [1002],
  ],
  ["a close with the code 65535", () => frame(Buffer.of(255, 255), { opcode: 8 }), [1002]],
  [
    "a close whose reason is not UTF-8",
    () => frame(Buffer.of(3, 232, 255, 254), { opcode: 8 }),
    [1007],
  ],
  ["text that is not UTF-8", () => frame(Buffer.of(255, 254, 253)), [1007]],
  [
    "a length of 2⁶³",
    () => Buffer.concat([Buffer.of(0x81, 0xff, 0x80), Buffer.alloc(11)]),
    [1002, 1009],
  ],
  ["a length of 257 KiB without the bytes", () => frame("", { length: 257 * 1024 }), [1009]],
  [
    "257 KiB in fragments of 1 KiB",
    () =>
      Buffer.concat(
        Array.from({ length: 257 }, (_, i) =>
          frame("x".repeat(1024), { opcode: i === 0 ? 1 : 0, fin: false }),
        ),
      ),
    [1009],
  ],
  [
    "20,000 fragments of one byte",
    () =>
      Buffer.concat(
        Array.from({ length: 20_000 }, (_, i) =>
          frame("x", { opcode: i === 0 ? 1 : 0, fin: i === 19_999 }),
        ),
      ),
    [4400, 1008],
  ],
  [
    "compressed bytes without negotiated compression",
    () => frame(Buffer.from("789c0300", "hex"), { reserved: 4, opcode: 2 }),
    [1002],
  ],
  ["HTTP instead of frames", () => Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n"), [1002, 1006]],
];

export const FLOODS: [what: string, bytes: () => Buffer][] = [
  ["pings of the protocol", () => message({ type: "ping" })],
  ["completions without an operation", () => message({ type: "complete", id: "1" })],
];

export const MESSAGES: [what: string, bytes: () => Buffer, codes: number[]][] = [
  [
    "bytes that are not JSON in a binary frame",
    () => frame(Buffer.of(0, 1, 2), { opcode: 2 }),
    [4400],
  ],
  ["a list", () => message([]), [4400]],
  ["null", () => message("null"), [4400]],
  ["a string", () => message('"connection_init"'), [4400]],
  ["an infinite number", () => message("1e999"), [4400]],
  ["100,000 open brackets", () => message("[".repeat(100_000)), [4400]],
  ["a message without a type", () => message({}), [4400]],
  ["a type in __proto__", () => message('{"__proto__":{"type":"ping"}}'), [4400]],
  [
    "a message type of the older protocol",
    () => message({ type: "start", id: "1", payload: { query: "{ me { id } }" } }),
    [4400],
  ],
  ["a message type that only servers send", () => message({ type: "connection_ack" }), [4400]],
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
    "a subscription whose variables are a string",
    () => subscribe("1", { query: "{ me { id } }", variables: "x" }),
    [4400],
  ],
  [
    "a subscription whose operation name is a number",
    () => subscribe("1", { query: "{ me { id } }", operationName: 1 }),
    [4400],
  ],
  ["a ping whose payload is a string", () => message({ type: "ping", payload: "x" }), [4400]],
  [
    "a sign-in whose payload is a list",
    () => message({ type: "connection_init", payload: [] }),
    [4400, 4403, 4429],
  ],
];
