import { crc32 } from "node:zlib";
import type { Sharp } from "sharp";

/**
 * Encodes with a metadata block of our own (see `writeExifBlock`). The library can only write one
 * of its own making, so it is given a text as long as our block, and what it wrote is then
 * overwritten: this works for all formats alike, AVIF too.
 */
export async function encodeWithExif(pipeline: Sharp, exif: Buffer): Promise<Buffer> {
  const placeholder = "x".repeat(exif.length);
  const file = await pipeline.withExif({ IFD0: { Copyright: placeholder } }).toBuffer();
  const text = file.indexOf(placeholder);
  const start = Math.max(
    file.lastIndexOf("II\x2a\0", text, "latin1"),
    file.lastIndexOf("MM\0\x2a", text, "latin1"),
  );
  if (text === -1 || start === -1)
    throw new Error("The image library wrote no metadata block to be replaced.");
  file.fill(0, start, text + exif.length);
  exif.copy(file, start);
  if (file.toString("latin1", 1, 4) === "PNG") sumAnew(file, start);
  return file;
}

/** A chunk of PNG is its length, its type, its data and a checksum of the latter two. */
function sumAnew(file: Buffer, data: number): void {
  const end = data + file.readUInt32BE(data - 8);
  file.writeUInt32BE(crc32(file.subarray(data - 4, end)), end);
}
