import { MARKERS, readJpegSegments } from "./jpeg-segments.js";

/** ITU-T T.81, table K.1, in the order of the file (zigzag): quality 50. */
const LUMINANCE = [
  16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37,
  29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
  95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
];

/**
 * The quality 1 to 100 that libjpeg would call it, by the first table; null where none can be read.
 */
export function jpegQuality(file: Buffer): number | null {
  const tables = readJpegSegments(file)?.find(({ marker }) => marker === MARKERS.tables)?.bytes;
  // Marker and length, then one byte with the precision and the table's number.
  if (tables === undefined || tables.length < 5 + 64 || tables[4] !== 0) return null;
  const shares = LUMINANCE.map((standard, index) => (100 * (tables[5 + index] ?? 0)) / standard);
  const scale = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return Math.min(100, Math.max(1, Math.round(scale <= 100 ? (200 - scale) / 2 : 5000 / scale)));
}
