import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { eventually } from "../support/runner/eventually.js";

export interface RawWebSocket {
  socket: Socket;
  /** The status of the upgrade. */
  status: number;
  /** Bytes received after the upgrade, as text. */
  readonly received: string;
  /** Writes valid or invalid frames. */
  write(bytes: Buffer): void;
  /** Resolves with the server's close code, or with 1006 if the connection ended without one. */
  closed(deadlineMs?: number): Promise<number>;
}

export interface FrameShape {
  opcode?: number;
  fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  reserved?: number;
  masked?: boolean;
  /** Value of the length field, if it differs from the real length. */
  length?: number;
}

/** Builds a frame of RFC 6455, section 5.2; the shape can make it invalid. */
export function frame(
  payload: string | Buffer,
  { opcode = 1, fin = true, reserved = 0, masked = true, length }: FrameShape = {},
): Buffer {
  const body = Buffer.from(payload);
  const size = length ?? body.length;
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const bit = masked ? 0x80 : 0;
  const frameHead = headOf(first, bit, size);
  // A mask of zeros is valid.
  return Buffer.concat(masked ? [frameHead, Buffer.alloc(4), body] : [frameHead, body]);
}

function headOf(first: number, bit: number, size: number): Buffer {
  if (size < 126) return Buffer.of(first, bit | size);
  return size < 65_536
    ? Buffer.of(first, bit | 126, size >> 8, size & 255)
    : longHead(first, bit, size);
}

function longHead(first: number, bit: number, size: number): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt8(first, 0);
  head.writeUInt8(bit | 127, 1);
  head.writeBigUInt64BE(BigInt(size), 2);
  return head;
}

/** Upgrades a connection without a library, so that the caller controls every byte. */
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
      // A hostile peer does not answer the close frame.
      socket.destroy();
      return code;
    },
  };
}

/** Finds the close frame; a server's frames are not masked. */
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
