import { crc32 } from "node:zlib";

/** The metadata that remains when all other metadata is cut out. */
export interface KeptMetadata {
  icc: boolean;
  /** A TIFF structure (see `writeExifBlock`) that replaces the photo's EXIF. */
  exif: Buffer | null;
}

/**
 * The same file without its metadata, with unchanged pixels. Null when this is not possible and the
 * picture must be encoded again.
 */
export function cutMetadata(format: string, file: Buffer, kept: KeptMetadata): Buffer | null {
  switch (format) {
    case "jpeg":
      return cutJpeg(file, kept);
    case "png":
      return cutPng(file, kept);
    case "webp":
      return cutWebp(file, kept);
    default:
      return null;
  }
}

const START = Buffer.from([0xff, 0xd8]);
const END = Buffer.from([0xff, 0xd9]);

/**
 * The same coded picture with only the segments that it needs, and nothing after its end; null for
 * a broken file.
 */
function cutJpeg(file: Buffer, kept: KeptMetadata): Buffer | null {
  const segments = readJpegSegments(file);
  if (segments === null) return null;
  const exif = kept.exif === null ? [] : [exifSegment(kept.exif)];
  return Buffer.concat([
    START,
    ...exif,
    ...segments.flatMap((segment) => jpegPart(segment, kept)),
    END,
  ]);
}

function jpegPart({ marker, bytes }: JpegSegment, kept: KeptMetadata): Buffer[] {
  if (marker === MARKERS.app0)
    return hasName(bytes, "JFIF\0") && bytes.length >= 18 ? [plainJfif(bytes)] : [];
  if (marker === MARKERS.app2) return kept.icc && hasName(bytes, "ICC_PROFILE\0") ? [bytes] : [];
  // This segment defines the meaning of the channels; without it CMYK becomes a negative.
  if (marker === MARKERS.app14)
    return hasName(bytes, "Adobe") && bytes.length >= 16 ? [plainAdobe(bytes)] : [];
  const isMetadata =
    (marker >= MARKERS.app0 && marker <= MARKERS.app15) || marker === MARKERS.comment;
  return isMetadata ? [] : [bytes];
}

function hasName(segment: Buffer, name: string): boolean {
  return segment.toString("latin1", 4, 4 + name.length) === name;
}

/** Keeps version and density, and drops a thumbnail that may follow them. */
function plainJfif(bytes: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([0xff, MARKERS.app0, 0, 16]),
    bytes.subarray(4, 16),
    Buffer.from([0, 0]),
  ]);
}

function plainAdobe(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xff, MARKERS.app14, 0, 14]), bytes.subarray(4, 16)]);
}

function exifSegment(exif: Buffer): Buffer {
  const head = Buffer.from("\xff\xe1\0\0Exif\0\0", "latin1");
  head.writeUInt16BE(head.length - 2 + exif.length, 2);
  return Buffer.concat([head, exif]);
}

/**
 * Chunks for the picture, its colours, its density, and the frames of an animation (PNG, third
 * edition, section 4.7).
 */
const PICTURE = new Set([
  "IHDR",
  "PLTE",
  "IDAT",
  "IEND",
  "tRNS",
  "cHRM",
  "gAMA",
  "sBIT",
  "sRGB",
  "cICP",
  "mDCV",
  "cLLI",
  "bKGD",
  "pHYs",
  "acTL",
  "fcTL",
  "fdAT",
]);

/**
 * The same coded picture with only the chunks that it needs, and nothing after its end; null for a
 * broken file.
 */
function cutPng(file: Buffer, kept: KeptMetadata): Buffer | null {
  const parts = [file.subarray(0, 8)];
  for (let at = 8; at + 12 <= file.length;) {
    const end = at + 12 + file.readUInt32BE(at);
    const type = file.toString("latin1", at + 4, at + 8);
    if (end > file.length) return null;
    if (PICTURE.has(type) || (kept.icc && type === "iCCP")) parts.push(file.subarray(at, end));
    if (type === "IHDR" && kept.exif !== null) parts.push(exifChunk(kept.exif));
    if (type === "IEND") return Buffer.concat(parts);
    at = end;
  }
  return null;
}

function exifChunk(exif: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from("eXIf"), exif]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(exif.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

interface Chunk {
  type: string;
  data: Buffer;
}

/** Bits of the first byte of VP8X (RFC 9649, section 2.7). */
const ICC = 0x20;
const EXIF = 0x08;
const XMP = 0x04;

/** Bytes of a frame's header; chunks follow, as in a file. */
const FRAME_HEADER = 16;

/**
 * The same coded picture or animation with only the chunks that it needs. Null for a broken file,
 * and for a file without a header that can declare metadata.
 */
function cutWebp(file: Buffer, kept: KeptMetadata): Buffer | null {
  const end = 8 + file.readUInt32LE(4);
  const chunks = end > file.length ? null : readChunks(file.subarray(12, end));
  if (chunks === null) return null;
  const parts = chunks.map((chunk) => webpPart(chunk, kept));
  if (parts.includes(null) || (kept.exif !== null && chunks[0]?.type !== "VP8X")) return null;
  const exif = kept.exif === null ? [] : [writeChunk("EXIF", kept.exif)];
  const body = Buffer.concat([
    Buffer.from("WEBP"),
    ...parts.flatMap((part) => part ?? []),
    ...exif,
  ]);
  const head = Buffer.from("RIFF\0\0\0\0");
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** Empty for a chunk that the picture does not need; null for a broken frame. */
function webpPart({ type, data }: Chunk, kept: KeptMetadata): Buffer[] | null {
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

interface JpegSegment {
  /** The second byte of its marker. */
  marker: number;
  /**
   * The bytes from the marker to the end of the segment; a scan includes the coded picture after
   * it.
   */
  bytes: Buffer;
}

export const MARKERS = {
  dac: 0xcc,
  endOfImage: 0xd9,
  scan: 0xda,
  tables: 0xdb,
  app0: 0xe0,
  app1: 0xe1,
  app2: 0xe2,
  app14: 0xee,
  app15: 0xef,
  comment: 0xfe,
} as const;

/**
 * The segments between the start and the first end of a JPEG (ITU-T T.81, annex B); the end may be
 * missing. Null when their chain is broken or contains an unknown segment.
 */
export function readJpegSegments(file: Buffer): JpegSegment[] | null {
  const segments: JpegSegment[] = [];
  let at = 2;
  while (at < file.length) {
    if (file[at] !== 0xff) return null;
    while (file[at] === 0xff) at++;
    const marker = file[at] ?? MARKERS.endOfImage;
    if (marker === MARKERS.endOfImage) break;
    const end = endOfSegment(file, marker, at + 1);
    if (end === null) return null;
    // Starts at the last of the fill bytes.
    segments.push({ marker, bytes: file.subarray(at - 1, end) });
    at = end;
  }
  return segments.some(({ marker }) => marker === MARKERS.scan) ? segments : null;
}

function endOfSegment(file: Buffer, marker: number, at: number): number | null {
  // Segments with a length: frames, tables, scans, intervals, application data and comments.
  const isKnown =
    (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8) ||
    (marker >= 0xda && marker <= 0xdd) ||
    (marker >= MARKERS.app0 && marker <= MARKERS.app15) ||
    marker === MARKERS.comment;
  if (!isKnown || at + 2 > file.length) return null;
  const length = file.readUInt16BE(at);
  if (length < 2 || at + length > file.length) return null;
  return marker === MARKERS.scan ? endOfScan(file, at + length) : at + length;
}

/** The coded picture ends at the first marker, except for escaped FF bytes and restart markers. */
function endOfScan(file: Buffer, from: number): number {
  for (let at = file.indexOf(0xff, from); at !== -1; at = file.indexOf(0xff, at + 1)) {
    const next = file[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  return file.length;
}
