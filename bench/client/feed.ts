// A socket with just enough WebSocket and graphql-transport-ws to receive a subscription. Thousands
// of these sockets share two cores with the measured server, and `ws` would need as much CPU as it.
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

export interface Feed {
  close(): void;
}

const QUERY =
  "subscription Events { queuedJobEvents { cursor type queuedJob { id status version " +
  "progress } } }";
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/**
 * Resolves when the server has accepted the socket and the subscription is sent. `onNext` receives
 * each unparsed message.
 */
export function openFeed(options: {
  url: string;
  token: string;
  onNext: (message: string) => void;
}): Promise<Feed> {
  const { hostname, port } = new URL(options.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: hostname, noDelay: true });
    let closed = false;
    const feed: Feed = {
      close() {
        closed = true;
        socket.destroy();
      },
    };
    const send = (message: object) =>
      socket.write(frame(TEXT, Buffer.from(JSON.stringify(message))));

    function receive(message: string): void {
      if (message.startsWith('{"id":"1","type":"next"') || message.includes('"type":"next"'))
        return options.onNext(message);
      const { type } = JSON.parse(message) as { type: string };
      if (type === "ping") send({ type: "pong" });
      if (type === "error" || type === "complete")
        fail(new Error(`a subscription ended: ${message}`));
      if (type !== "connection_ack") return;
      send({ id: "1", type: "subscribe", payload: { query: QUERY } });
      resolve(feed);
    }

    function fail(error: Error): void {
      if (closed) return;
      reject(error);
      // A measurement with a missing listener would be wrong, so fail loudly.
      socket.destroy(error);
    }

    socket.once("connect", () => socket.write(upgradeRequest(hostname, port)));
    socket.once("error", fail);
    socket.once("close", () => fail(new Error("a socket was closed")));
    const read = createFrameReader(socket, receive);
    untilUpgraded(
      socket,
      (rest) => {
        socket.on("data", read);
        send({ type: "connection_init", payload: { authorization: `Bearer ${options.token}` } });
        if (rest.length > 0) read(rest);
      },
      fail,
    );
  });
}

function upgradeRequest(hostname: string, port: string): string {
  const lines = [
    "GET /graphql HTTP/1.1",
    `host: ${hostname}:${port}`,
    "upgrade: websocket",
    "connection: Upgrade",
    `sec-websocket-key: ${randomBytes(16).toString("base64")}`,
    "sec-websocket-version: 13",
    "sec-websocket-protocol: graphql-transport-ws",
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function untilUpgraded(
  socket: Socket,
  onUpgraded: (rest: Buffer) => void,
  onRefused: (error: Error) => void,
): void {
  let head = Buffer.alloc(0);
  const collect = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    socket.off("data", collect);
    if (head.toString("latin1", 9, 12) === "101") onUpgraded(head.subarray(end + 4));
    else onRefused(new Error(`a socket was refused: ${head.toString("latin1", 0, 80)}`));
  };
  socket.on("data", collect);
}

/** A client's frames must be masked; a mask of zeros is legal and costs no time. */
function frame(opcode: number, payload: Buffer): Buffer {
  const long = payload.length > 125;
  const head = Buffer.alloc((long ? 4 : 2) + 4);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (long ? 126 : payload.length);
  if (long) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

/** Splits the bytes into frames. The measured servers never send fragmented messages. */
function createFrameReader(
  socket: Socket,
  onText: (message: string) => void,
): (chunk: Buffer) => void {
  let rest: Buffer | null = null;
  return (chunk) => {
    const bytes: Buffer = rest ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    for (
      let size = frameSize(bytes, at);
      size !== null && at + size.whole <= bytes.length;
      size = frameSize(bytes, at)
    ) {
      const body = bytes.subarray(at + size.head, at + size.whole);
      const opcode = (bytes[at] ?? 0) & 15;
      at += size.whole;
      if (opcode === TEXT) onText(body.toString("utf8"));
      else if (opcode === PING) socket.write(frame(PONG, body));
      else if (opcode === CLOSE) socket.end();
    }
    rest = at === bytes.length ? null : bytes.subarray(at);
  };
}

function frameSize(bytes: Buffer, at: number): { head: number; whole: number } | null {
  const left = bytes.length - at;
  if (left < 2) return null;
  const short = (bytes[at + 1] ?? 0) & 127;
  if (short < 126) return { head: 2, whole: 2 + short };
  const head = short === 126 ? 4 : 10;
  if (left < head) return null;
  return {
    head,
    whole:
      head + (short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))),
  };
}
