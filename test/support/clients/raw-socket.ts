import { WebSocket, type ClientOptions } from "ws";
import { eventually } from "../runner/eventually.js";
import type { GraphqlError } from "./test-client.js";

/** A message of the protocol graphql-transport-ws. */
export interface Message {
  type: string;
  id?: string;
  payload?: GraphqlError[] | { data?: unknown; errors?: GraphqlError[] };
}

export interface RawSocket {
  messages: Message[];
  /** Close code and reason; null while the socket is open. */
  readonly end: { code: number; reason: string } | null;
  send(message: object | string): void;
  /** Resolves with the first message that passes the test. */
  next(what: string, test: (message: Message) => boolean): Promise<Message>;
  /** Signs in, and resolves at the acknowledgement. */
  init(token: string): Promise<void>;
  closed(deadlineMs?: number): Promise<{ code: number; reason: string }>;
  /** Resolves with the HTTP status of a refused upgrade. */
  refused(): Promise<number>;
  close(): void;
}

/** Speaks the protocol without a client library, for messages that a correct client never sends. */
export function openRawSocket(
  url: string,
  options: Omit<ClientOptions, "protocol"> & { path?: string; protocol?: string | null } = {},
): RawSocket {
  const { path = "/graphql", protocol = "graphql-transport-ws", ...more } = options;
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}${path}`, protocol ?? [], more);
  const messages: Message[] = [];
  const waiting: string[] = [];
  let end: { code: number; reason: string } | null = null;
  let status: number | null = null;
  socket.on("open", () => waiting.splice(0).forEach((text) => socket.send(text)));
  socket.on("message", (data) => messages.push(JSON.parse(String(data)) as Message));
  socket.on("close", (code, reason) => (end = { code, reason: String(reason) }));
  socket.on("unexpected-response", (request, response) => {
    status = response.statusCode ?? 0;
    request.destroy();
  });
  socket.on("error", () => {});

  const raw: RawSocket = {
    messages,
    get end() {
      return end;
    },
    send(message) {
      const text = typeof message === "string" ? message : JSON.stringify(message);
      if (socket.readyState === socket.CONNECTING) waiting.push(text);
      else socket.send(text);
    },
    next: (what, test) => eventually(what, () => messages.find(test)),
    async init(token) {
      raw.send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
      await raw.next("the sign-in is acknowledged", ({ type }) => type === "connection_ack");
    },
    closed: (deadlineMs) => eventually("the socket is closed", () => end, deadlineMs),
    refused: () => eventually("the upgrade is refused", () => status),
    close: () => socket.close(),
  };
  return raw;
}
