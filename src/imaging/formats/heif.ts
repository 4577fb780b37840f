/**
 * The codec of the primary picture of a HEIF file, or of its tiles; null when it is unknown. It is
 * read from the types of the items (ISO/IEC 14496-12, 8.11; 23008-12, annex B; AV1 Image File
 * Format, 2.2.1), because a brand such as mif1 does not name the codec.
 */
export function heifCoding(file: Buffer): "hevc" | "av1" | null {
  const meta = boxesIn(file, 0, file.length).find(({ type }) => type === "meta");
  if (meta === undefined || meta.end > file.length) return null;
  const boxes = boxesIn(file, meta.start + 4, meta.end);
  const find = (type: string) => boxes.find((box) => box.type === type);
  const [primary, list] = [find("pitm"), find("iinf")];
  if (primary === undefined || list === undefined) return null;
  const items = itemsIn(file, list);
  const primaryType = items.find(({ id }) => id === readId(file, primary))?.type;
  const type = [primaryType, ...items.map((item) => item.type)].find(
    (candidate) => candidate !== undefined && candidate in CODINGS,
  );
  return CODINGS[type ?? ""] ?? null;
}

const CODINGS: Record<string, "hevc" | "av1"> = { hvc1: "hevc", av01: "av1" };

interface Item {
  id: number;
  type: string;
}

function itemsIn(file: Buffer, list: Box): Item[] {
  const first = list.start + (file[list.start] === 0 ? 6 : 8);
  return boxesIn(file, first, list.end).flatMap((box) => {
    const typeAt = box.start + (file[box.start] === 2 ? 8 : 10);
    return box.type === "infe"
      ? [{ id: readId(file, box), type: file.toString("latin1", typeAt, typeAt + 4) }]
      : [];
  });
}

/** Reads an id: two bytes in older versions of both boxes, else four. */
function readId(file: Buffer, { type, start }: Box): number {
  const short = type === "pitm" ? 0 : 2;
  const size = file[start] === short ? 2 : 4;
  return start + 4 + size > file.length ? -1 : file.readUIntBE(start + 4, size);
}

/** Start and end of a box's content; the end may lie behind the end of the file. */
interface Box {
  type: string;
  start: number;
  end: number;
}

/** The boxes from `start` to `end`, up to the first invalid one (ISO/IEC 14496-12, 4.2). */
function boxesIn(file: Buffer, start: number, end: number): Box[] {
  const boxes: Box[] = [];
  for (let at = start; at + 16 <= end;) {
    const short = file.readUInt32BE(at);
    const size = short === 1 ? Number(file.readBigUInt64BE(at + 8)) : short || end - at;
    const header = short === 1 ? 16 : 8;
    if (size < header) break;
    boxes.push({
      type: file.toString("latin1", at + 4, at + 8),
      start: at + header,
      end: at + size,
    });
    at += size;
  }
  return boxes;
}

/**
 * False when the list of a file's extents, or an extent, ends behind the end of the file. A decoder
 * reports no error then: it shows the missing parts as grey tiles. Data behind the pictures, such
 * as a video, may be cut.
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
 * The end of each extent that this file stores itself (iloc, ISO/IEC 14496-12, 8.11.3). Throws
 * RangeError when the list itself is cut.
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
    // Extents without offset and length take no bytes in the list, so a file could claim any
    // number.
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
