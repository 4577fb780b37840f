import { connect } from "node:net";
import { randomBytes } from "node:crypto";

const SUBSCRIBE =
  "subscription Events($queuedJobId: ID, $after: String) { queuedJobEvents(queuedJobId: " +
  "$queuedJobId, after: $after) { cursor type queuedJob { id status version progress } } " +
  "}";

export interface CountingSocket {
  /** Frames that came since it was subscribed. */
  frames: number;
  close(): void;
}

/**
 * A socket with one subscription that counts frames and reads none of them: thousands of these cost
 * their process little. Resolves when it is subscribed.
 */
export function openCountingSocket(port: number, token: string): Promise<CountingSocket> {
  return new Promise((resolve, reject) => {
    let rest: Buffer = Buffer.alloc(0);
    let upgraded = false;
    const tcp = connect(port, "127.0.0.1")
      .setNoDelay()
      .on("error", reject)
      .on("close", () => reject(new Error("A socket was closed")));
    const send = (message: object) => tcp.write(maskedFrame(1, JSON.stringify(message)));
    const counting: CountingSocket = { frames: 0, close: () => tcp.destroy() };
    tcp.write(
      `GET /graphql HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nupgrade: ` +
        "websocket\r\nconnection: Upgrade\r\nsec-websocket-key: " +
        `${randomBytes(16).toString("base64")}\r\nsec-websocket-version: ` +
        "13\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n",
    );
    tcp.on("data", (data) => {
      rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
      if (!upgraded) {
        const end = rest.indexOf("\r\n\r\n");
        if (end < 0) return;
        upgraded = true;
        rest = rest.subarray(end + 4);
        send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
      }
      rest = readFrames(rest, take);
    });

    function take(opcode: number, payload: Buffer): void {
      if (opcode === 9) return void tcp.write(maskedFrame(10, ""));
      counting.frames++;
      if (counting.frames > 2) return;
      const { type } = JSON.parse(String(payload)) as { type: string };
      if (type === "connection_ack") {
        send({
          id: "1",
          type: "subscribe",
          payload: { query: SUBSCRIBE, variables: { queuedJobId: null, after: null } },
        });
        // Answered when the subscription was taken.
        send({ type: "ping" });
      }
      if (type === "pong") resolve(counting);
    }
  });
}

function readFrames(bytes: Buffer, take: (opcode: number, payload: Buffer) => void): Buffer {
  let at = 0;
  while (bytes.length - at >= 2) {
    const short = (bytes[at + 1] ?? 0) & 127;
    const head = { 126: 4, 127: 10 }[short] ?? 2;
    if (bytes.length - at < head) break;
    const long = head === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    const length = head === 2 ? short : long;
    if (bytes.length - at < head + length) break;
    take((bytes[at] ?? 0) & 15, bytes.subarray(at + head, at + head + length));
    at += head + length;
  }
  return bytes.subarray(at);
}

/** With a mask of zeros, which is legal and costs nothing. */
function maskedFrame(opcode: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126
      ? Buffer.of(0x80 | opcode, 0x80 | payload.length)
      : Buffer.of(0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 255);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}
