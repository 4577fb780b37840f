type Bytes = Uint8Array<ArrayBuffer>;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

function crcOf(bytes: Bytes): number {
  let crc = -1;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  return ~crc;
}

// The numbers of a ZIP file are in little-endian order.
const words = (...values: number[]): Bytes =>
  Uint8Array.from(values.flatMap((value) => [value, value >>> 8]));
const longs = (...values: number[]): Bytes =>
  Uint8Array.from(values.flatMap((value) => [0, 8, 16, 24].map((bits) => value >>> bits)));

/** Maker of the file; with others, some programs read names as the code page of MS-DOS. */
const UNIX = 0x314;
/** A plain file with the mode 0644. */
const READABLE = 0x81a40000;

const lengthOf = (parts: readonly Bytes[]): number =>
  parts.reduce((sum, { length }) => sum + length, 0);

/** A ZIP file without compression, because pictures are compressed. Names must be unique. */
export function zipOf(files: readonly { name: string; bytes: Bytes }[]): Blob {
  const parts: Bytes[] = [];
  const directory: Bytes[] = [];
  for (const { name, bytes } of files) {
    const path = new TextEncoder().encode(name);
    const head = [
      // Version 2.0, name in UTF-8, stored, 1 January 1980.
      words(20, 0x800, 0, 0, 0x21),
      longs(crcOf(bytes), bytes.length, bytes.length),
      words(path.length, 0),
    ];
    const place = longs(READABLE, lengthOf(parts));
    directory.push(longs(0x02014b50), words(UNIX), ...head, words(0, 0, 0), place, path);
    parts.push(longs(0x04034b50), ...head, path, bytes);
  }
  const [count, size] = [files.length, lengthOf(directory)];
  const end = [
    longs(0x06054b50),
    words(0, 0, count, count),
    longs(size, lengthOf(parts)),
    words(0),
  ];
  return new Blob([...parts, ...directory, ...end], { type: "application/zip" });
}
