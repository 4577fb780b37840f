import { crc32 } from "node:zlib";
import type { KeptMetadata } from "./kept-metadata.js";

/**
 * The picture, its colours, its density, and the frames of an animation (PNG, third edition,
 * section 4.7).
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
 * The same coded picture with only the chunks that it needs, and nothing behind its end; null for a
 * broken file.
 */
export function cutPng(file: Buffer, kept: KeptMetadata): Buffer | null {
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
