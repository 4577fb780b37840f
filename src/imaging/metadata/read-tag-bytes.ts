import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import type { PhotoFormat } from "../formats/photo-format.js";

/** How a file is divided into parts: JPEG's segments, and the chunks of PNG and WebP. */
interface Layout {
  /** Offset of the first part. */
  start: number;
  /** Reads the first eight bytes of a part. */
  partAt(head: Buffer): { name: string; length: number };
  /** Names of the parts with tags. */
  kept: readonly string[];
  /** Parts behind which no tags follow. */
  last: readonly string[];
}

const LAYOUTS: Partial<Record<PhotoFormat, Layout>> = {
  jpeg: {
    start: 2,
    // A marker may have more than one leading byte of ones.
    partAt: (head) =>
      head[1] === 0xff
        ? { name: "", length: 1 }
        : { name: head.toString("hex", 0, 2), length: 2 + head.readUInt16BE(2) },
    kept: ["ffe1"],
    last: ["ffda", "ffd9"],
  },
  png: {
    start: 8,
    partAt: (head) => ({ name: head.toString("latin1", 4), length: 12 + head.readUInt32BE(0) }),
    kept: ["eXIf", "iTXt", "tEXt", "zTXt"],
    last: ["IEND"],
  },
  webp: {
    start: 12,
    partAt: (head) => {
      const size = head.readUInt32LE(4);
      return { name: head.toString("latin1", 0, 4), length: 8 + size + (size % 2) };
    },
    kept: ["EXIF", "XMP "],
    last: [],
  },
};

const HEAD_BYTES = 8;
/** A file of 50 MB whose picture is in parts of 8 KiB has fewer. */
const MAX_PARTS = 10_000;
const MAX_KEPT_BYTES = 2 * 1024 * 1024;

/**
 * The file without its picture, so that a large photo costs no more than its tags. A format with
 * its tags at any place is read whole. Only a child may call it: it blocks the process, because a
 * file can have thousands of parts.
 */
export function readTagBytes(path: string, format: PhotoFormat): Buffer {
  const layout = LAYOUTS[format];
  if (layout === undefined) return readFileSync(path);
  const file = openSync(path, "r");
  try {
    return Buffer.concat(readParts(file, layout));
  } finally {
    closeSync(file);
  }
}

function readParts(file: number, layout: Layout): Buffer[] {
  const parts = [readAt(file, 0, layout.start)];
  let room = MAX_KEPT_BYTES;
  let at = layout.start;
  for (let count = 0; count < MAX_PARTS; count++) {
    const head = readAt(file, at, HEAD_BYTES);
    if (head.length < HEAD_BYTES) break;
    const { name, length } = layout.partAt(head);
    if (layout.last.includes(name)) break;
    if (layout.kept.includes(name) && length <= room) {
      parts.push(readAt(file, at, length));
      room -= length;
    }
    at += length;
  }
  return parts;
}

function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, position));
}
