import type { KeptMetadata } from "./kept-metadata.js";

interface Chunk {
  type: string;
  data: Buffer;
}

/** Bits of the first byte of VP8X (RFC 9649, section 2.7). */
const ICC = 0x20;
const EXIF = 0x08;
const XMP = 0x04;

/** The bytes of a frame's own header; chunks follow, as in a file. */
const FRAME_HEADER = 16;

/**
 * The same coded picture, or animation, with only the chunks that it needs; null for a broken file,
 * and for one that has no place to say that it has metadata.
 */
export function cutWebp(file: Buffer, kept: KeptMetadata): Buffer | null {
  const end = 8 + file.readUInt32LE(4);
  const chunks = end > file.length ? null : readChunks(file.subarray(12, end));
  if (chunks === null) return null;
  const parts = chunks.map((chunk) => partOf(chunk, kept));
  if (parts.includes(null) || (kept.exif !== null && chunks[0]?.type !== "VP8X")) return null;
  const own = kept.exif === null ? [] : [writeChunk("EXIF", kept.exif)];
  const body = Buffer.concat([Buffer.from("WEBP"), ...parts.flatMap((part) => part ?? []), ...own]);
  const head = Buffer.from("RIFF\0\0\0\0");
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** Nothing for what the picture does not need; null for a frame that is broken. */
function partOf({ type, data }: Chunk, kept: KeptMetadata): Buffer[] | null {
  if (type === "VP8X") return [writeChunk(type, withFlags(data, kept))];
  if (type === "ICCP") return kept.icc ? [writeChunk(type, data)] : [];
  if (type !== "ANMF") return isPicture(type) ? [writeChunk(type, data)] : [];
  const inner = readChunks(data.subarray(FRAME_HEADER));
  if (inner === null) return null;
  const frame = inner
    .filter((chunk) => isPicture(chunk.type))
    .map((chunk) => writeChunk(chunk.type, chunk.data));
  return [writeChunk(type, Buffer.concat([data.subarray(0, FRAME_HEADER), ...frame]))];
}

function isPicture(type: string): boolean {
  return ["VP8 ", "VP8L", "ALPH", "ANIM"].includes(type);
}

function withFlags(data: Buffer, { icc, exif }: KeptMetadata): Buffer {
  const flags = (data[0] ?? 0) & ~(XMP | EXIF | (icc ? 0 : ICC));
  return Buffer.concat([Buffer.from([exif === null ? flags : flags | EXIF]), data.subarray(1)]);
}

function readChunks(bytes: Buffer): Chunk[] | null {
  const chunks: Chunk[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const end = at + 8 + bytes.readUInt32LE(at + 4);
    if (end > bytes.length) return null;
    chunks.push({ type: bytes.toString("latin1", at, at + 4), data: bytes.subarray(at + 8, end) });
    at = end + (end % 2 === at % 2 ? 0 : 1);
  }
  return chunks;
}

function writeChunk(type: string, data: Buffer): Buffer {
  const head = Buffer.from(`${type}\0\0\0\0`, "latin1");
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}
