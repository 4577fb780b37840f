import { WebSocket } from "ws";
import type { EventFields } from "./received-event.js";

/** The end of a connection; `codes` are the errors of a refused operation. */
export interface FeedEnd {
  close: { code: number; reason: string };
  codes: string[];
}

interface Message {
  type: string;
  payload?:
    | {
        data?: { event: EventFields } | null;
        errors?: { extensions: { code: string } }[];
      }
    | { extensions: { code: string } }[];
}

const PING_MS = 5000;
const DEAD_AFTER_MS = 15_000;

export interface FeedConnectionOptions {
  url: string;
  token: string;
  /** The alias of its field is `event`. */
  query: string;
  after: string;
  onReady: () => void;
  onEvent: (event: EventFields) => void;
}

/**
 * One socket with one subscription to the whole feed. It does not use the client of graphql-ws,
 * which would reconnect by itself.
 */
export class FeedConnection {
  readonly ended: Promise<FeedEnd>;
  readonly #options: FeedConnectionOptions;
  readonly #socket: WebSocket;
  readonly #codes: string[] = [];
  #receivedAt = Date.now();
  #isPaused = false;

  constructor(options: FeedConnectionOptions) {
    this.#options = options;
    this.#socket = new WebSocket(
      options.url.replace("http", "ws") + "/graphql",
      "graphql-transport-ws",
      { handshakeTimeout: 5000 },
    );
    const authorization = `Bearer ${options.token}`;
    this.#socket.on("open", () =>
      this.#send({ type: "connection_init", payload: { authorization } }),
    );
    this.#socket.on("pong", () => this.#noteLife());
    this.#socket.on("message", (data) => {
      this.#noteLife();
      this.#receive(JSON.parse(String(data)) as Message);
    });
    this.#socket.on("error", () => {});
    const pings = setInterval(() => this.#ping(), PING_MS);
    this.ended = new Promise((resolve) => {
      this.#socket.on("close", (code, reason) => {
        clearInterval(pings);
        resolve({ close: { code, reason: String(reason) }, codes: this.#codes });
      });
    });
  }

  /** Drops the connection without a close frame. */
  cut(): void {
    this.#socket.terminate();
  }

  /** Stops reading until `resume`. */
  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#noteLife();
    this.#socket.resume();
  }

  #noteLife(): void {
    this.#receivedAt = Date.now();
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  #ping(): void {
    if (!this.#isPaused && Date.now() - this.#receivedAt > DEAD_AFTER_MS) this.#socket.terminate();
    else if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  #receive({ type, payload }: Message): void {
    if (type === "ping") return this.#send({ type: "pong" });
    if (type === "connection_ack") return this.#subscribe();
    if (type === "next" && payload && "data" in payload && payload.data)
      return this.#options.onEvent(payload.data.event);
    if (type !== "next" && type !== "error" && type !== "complete") return;
    const errors = Array.isArray(payload) ? payload : (payload?.errors ?? []);
    this.#codes.push(...errors.map((error) => error.extensions.code));
    this.#socket.close(1000);
  }

  #subscribe(): void {
    const { query, after, onReady } = this.#options;
    this.#send({
      id: "feed",
      type: "subscribe",
      payload: { query, variables: { after } },
    });
    onReady();
  }
}
