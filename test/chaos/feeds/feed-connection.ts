import { WebSocket } from "ws";
import { EVENT_FIELDS, type EventFields } from "./told-event.js";

/** How a connection ended. `codes` of an operation that was refused. */
export interface FeedEnd {
  close: { code: number; reason: string };
  codes: string[];
}

export interface FeedConnection {
  ended: Promise<FeedEnd>;
  /** Cuts it without a word. */
  cut(): void;
  /** Reads nothing until `resume`. */
  pause(): void;
  resume(): void;
}

interface Message {
  type: string;
  payload?:
    | {
        data?: { queuedJobEvents: EventFields } | null;
        errors?: { extensions: { code: string } }[];
      }
    | { extensions: { code: string } }[];
}

const QUERY =
  "subscription ($after: String!, $includeProgress: Boolean!) { queuedJobEvents(after: " +
  `$after, includeProgress: $includeProgress) { ${EVENT_FIELDS} } }`;
const PING_MS = 5000;
const DEAD_AFTER_MS = 15_000;

/**
 * One socket with one subscription of the whole feed, spoken by hand: graphql-transport-ws without
 * its client, which would reconnect on its own.
 */
export function openFeedConnection(options: {
  url: string;
  token: string;
  after: string;
  includeProgress: boolean;
  onReady: () => void;
  onEvent: (event: EventFields) => void;
}): FeedConnection {
  const { token, after, includeProgress, onReady, onEvent } = options;
  const socket = new WebSocket(
    options.url.replace("http", "ws") + "/graphql",
    "graphql-transport-ws",
    { handshakeTimeout: 5000 },
  );
  const codes: string[] = [];
  let heardAt = Date.now();
  let paused = false;
  const send = (message: object) => socket.send(JSON.stringify(message));

  function hear(message: Message): void {
    if (message.type === "ping") return send({ type: "pong" });
    if (message.type === "connection_ack") {
      send({
        id: "feed",
        type: "subscribe",
        payload: { query: QUERY, variables: { after, includeProgress } },
      });
      return onReady();
    }
    if (
      message.type === "next" &&
      message.payload &&
      "data" in message.payload &&
      message.payload.data
    )
      return onEvent(message.payload.data.queuedJobEvents);
    if (message.type !== "next" && message.type !== "error" && message.type !== "complete") return;
    const errors = Array.isArray(message.payload)
      ? message.payload
      : (message.payload?.errors ?? []);
    codes.push(...errors.map((error) => error.extensions.code));
    socket.close(1000);
  }

  const beat = setInterval(() => {
    if (!paused && Date.now() - heardAt > DEAD_AFTER_MS) socket.terminate();
    else if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, PING_MS);
  const heard = () => void (heardAt = Date.now());

  socket.on("open", () =>
    send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } }),
  );
  socket.on("pong", heard);
  socket.on("message", (data) => {
    heard();
    hear(JSON.parse(String(data)) as Message);
  });
  socket.on("error", () => {});
  return {
    ended: new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        clearInterval(beat);
        resolve({ close: { code, reason: String(reason) }, codes });
      });
    }),
    cut: () => socket.terminate(),
    pause() {
      paused = true;
      socket.pause();
    },
    resume() {
      paused = false;
      heard();
      socket.resume();
    },
  };
}
