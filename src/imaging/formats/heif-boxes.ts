/** Where a box's content begins and ends; the end may lie behind the file. */
export interface Box {
  type: string;
  start: number;
  end: number;
}

/**
 * The boxes one after another from `start` to `end`, up to one that is none (ISO/IEC 14496-12,
 * 4.2).
 */
export function boxesIn(file: Buffer, start: number, end: number): Box[] {
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
