import { boxesIn } from "./heif-boxes.js";

/**
 * False when the list of a file's pieces, or one of them, ends behind the file. A decoder does not
 * mind: it shows what is missing as grey tiles, without an error. What stands behind the pictures,
 * such as a film, may be cut.
 */
export function heifIsWhole(file: Buffer): boolean {
  const meta = boxesIn(file, 0, file.length).find(({ type }) => type === "meta");
  if (meta === undefined || meta.end > file.length) return false;
  const location = boxesIn(file, meta.start + 4, meta.end).find(({ type }) => type === "iloc");
  try {
    return (
      location !== undefined &&
      extentEnds(file.subarray(0, location.end), location.start).every((end) => end <= file.length)
    );
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/**
 * The end of each extent that lies in this file at a place of its own (iloc, ISO/IEC 14496-12,
 * 8.11.3); throws RangeError when the list itself is cut.
 */
function extentEnds(file: Buffer, start: number): number[] {
  const version = file.readUInt8(start);
  const sizes = file.readUInt16BE(start + 4);
  const [offsetSize, lengthSize, baseSize] = [
    (sizes >> 12) & 15,
    (sizes >> 8) & 15,
    (sizes >> 4) & 15,
  ];
  const indexSize = version > 0 ? sizes & 15 : 0;
  const entrySize = indexSize + offsetSize + lengthSize;
  let at = start + 6;
  const read = (size: number) => readNumber(file, (at += size) - size, size);
  const ends: number[] = [];
  for (let items = read(version < 2 ? 2 : 4); items > 0; items--) {
    read(version < 2 ? 2 : 4);
    const method = version > 0 ? read(2) & 15 : 0;
    const here = read(2) === 0 && method === 0;
    const base = read(baseSize);
    const extents = read(2);
    // Of pieces without place or size, as many as one likes take no room in the list.
    for (let left = entrySize === 0 ? 0 : extents; left > 0; left--) {
      read(indexSize);
      const end = base + read(offsetSize) + read(lengthSize);
      if (here) ends.push(end);
    }
  }
  return ends;
}

function readNumber(file: Buffer, at: number, size: number): number {
  if (size === 0) return 0;
  return size === 8 ? Number(file.readBigUInt64BE(at)) : file.readUIntBE(at, size);
}
