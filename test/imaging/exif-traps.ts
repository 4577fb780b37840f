/** A tag in a directory (TIFF 6.0, section 2). */
type Entry = [tag: number, type: number, count: number, value: number];

const ASCII = 2;
const LONG = 4;
const UNDEFINED = 7;
const [MAKE, SUB_DIRECTORIES, EXIF, GPS, MAKER_NOTE] = [0x10f, 0x14a, 0x8769, 0x8825, 0x927c];
const FIRST = 8;
const MAX_UINT32 = 0xffff_ffff;

/** EXIF blocks that make a careless reader loop endlessly or use all memory, by their fault. */
export const exifTraps: Record<string, Buffer> = {
  "EXIF whose directory is followed by itself": tiff([
    directory([[MAKE, ASCII, 4, 0x41_4141]], FIRST),
  ]),
  "EXIF whose directories contain each other": tiff([
    directory(
      [
        [SUB_DIRECTORIES, LONG, 1, FIRST],
        [EXIF, LONG, 1, 50],
        [GPS, LONG, 1, FIRST],
      ],
      50,
    ),
    directory(
      [
        [EXIF, LONG, 1, FIRST],
        [MAKER_NOTE, UNDEFINED, 8, FIRST],
      ],
      FIRST,
    ),
  ]),
  "EXIF with four billion letters and numbers": tiff([
    directory(
      [
        [MAKE, ASCII, MAX_UINT32, FIRST],
        [SUB_DIRECTORIES, LONG, 0x4000_0000, FIRST],
        [EXIF, LONG, MAX_UINT32, FIRST],
      ],
      0,
    ),
  ]),
  "EXIF that ends inside a list of 65,535 tags": tiff([
    Buffer.concat([
      Buffer.from([0xff, 0xff]),
      directory([[MAKE, ASCII, 4, 0x41_4141]], 0).subarray(2),
    ]),
  ]),
  "EXIF whose directory lies behind the end of the file": tiff([Buffer.alloc(4)], 0x7fff_fff0),
};

function tiff(directories: Buffer[], first = FIRST): Buffer {
  const head = Buffer.from("II*\0\0\0\0\0", "latin1");
  head.writeUInt32LE(first, 4);
  return Buffer.concat([head, ...directories]);
}

function directory(entries: Entry[], next: number): Buffer {
  const bytes = Buffer.alloc(2 + 12 * entries.length + 4);
  bytes.writeUInt16LE(entries.length);
  entries.forEach(([tag, type, count, value], index) => {
    const at = 2 + 12 * index;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  });
  bytes.writeUInt32LE(next, bytes.length - 4);
  return bytes;
}
