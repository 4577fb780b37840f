import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { eventually } from "../support/runner/eventually.js";

export interface RawWebSocket {
  socket: Socket;
  /** The status of the upgrade. */
  status: number;
  /** What came after it, as text. */
  readonly received: string;
  /** Frames, or what only looks like some. */
  write(bytes: Buffer): void;
  /** The code of the close frame that came, 1006 when the connection ended without one. */
  closed(deadlineMs?: number): Promise<number>;
}

export interface FrameShape {
  opcode?: number;
  fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  reserved?: number;
  masked?: boolean;
  /** What the length field says, if not the truth. */
  length?: number;
}

/** A frame of RFC 6455 (5.2), or nearly one. */
export function frame(
  payload: string | Buffer,
  { opcode = 1, fin = true, reserved = 0, masked = true, length }: FrameShape = {},
): Buffer {
  const body = Buffer.from(payload);
  const told = length ?? body.length;
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const bit = masked ? 0x80 : 0;
  const sizes = headOf(first, bit, told);
  // A mask of zeros is a mask.
  return Buffer.concat(masked ? [sizes, Buffer.alloc(4), body] : [sizes, body]);
}

function headOf(first: number, bit: number, told: number): Buffer {
  if (told < 126) return Buffer.of(first, bit | told);
  return told < 65_536
    ? Buffer.of(first, bit | 126, told >> 8, told & 255)
    : longHead(first, bit, told);
}

function longHead(first: number, bit: number, told: number): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt8(first, 0);
  head.writeUInt8(bit | 127, 1);
  head.writeBigUInt64BE(BigInt(told), 2);
  return head;
}

/** Upgrades by hand, so that every byte of the frames is the caller's. */
export async function openRawWebSocket(
  url: string,
  headers: string[] = ["sec-websocket-protocol: graphql-transport-ws"],
  path = "/graphql",
): Promise<RawWebSocket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let bytes = Buffer.alloc(0);
  let ended = false;
  socket.on("data", (chunk) => (bytes = Buffer.concat([bytes, chunk])));
  socket.on("error", () => {});
  socket.on("close", () => (ended = true));
  socket.write(
    [
      `GET ${path} HTTP/1.1`,
      `host: ${hostname}:${port}`,
      "connection: Upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      `sec-websocket-key: ${randomBytes(16).toString("base64")}`,
      ...headers,
      "",
      "",
    ].join("\r\n"),
  );
  const head = await eventually(
    "the upgrade is answered",
    () => (bytes.includes("\r\n\r\n") || ended) && bytes.toString("latin1"),
  );
  const start = head.indexOf("\r\n\r\n") + 4;
  const frames = () => bytes.subarray(start);
  return {
    socket,
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0),
    get received() {
      return frames().toString("utf8");
    },
    write: (part) => void socket.write(part),
    async closed(deadlineMs) {
      const code = await eventually(
        "the socket is closed",
        () => closeCode(frames()) ?? (ended && 1006),
        deadlineMs,
      );
      // Nobody answers the close: that would be manners.
      socket.destroy();
      return code;
    },
  };
}

/** The server's frames are unmasked, and short where it closes. */
function closeCode(frames: Buffer): number | null {
  for (let at = 0; at + 2 <= frames.length;) {
    const [opcode, length] = [(frames[at] ?? 0) & 15, (frames[at + 1] ?? 0) & 127];
    const head = { 126: 4, 127: 10 }[length] ?? 2;
    if (frames.length < at + head) return null;
    const size =
      head === 2 ? length : frames.readUIntBE(at + 2 + (head === 10 ? 2 : 0), head === 10 ? 6 : 2);
    if (frames.length < at + head + size) return null;
    if (opcode === 8) return size >= 2 ? frames.readUInt16BE(at + head) : 1005;
    at += head + size;
  }
  return null;
}
