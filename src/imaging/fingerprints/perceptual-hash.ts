import { fromPixels, type Pixels } from "../pixels/pixels.js";

const SIDE = 32;
const KEPT = 8;
/** Standard deviation of the grey values below which a picture counts as flat. */
const FLAT = 3;

/**
 * 64 bits as 16 hex digits; similar pictures have similar bits. Resizing and recompressing change
 * at most 6 bits, other photos differ in 16 or more. A rotated or mirrored copy counts as another
 * picture. Null for a nearly flat picture, whose bits would be noise.
 * The DCT hash of http://www.hackerfactor.com/blog/index.php?/archives/432-Looks-Like-It.html: the
 * picture in grey, 32 × 32, and its 8 × 8 lowest frequencies. Each bit is 1 when a frequency is
 * above the median. The first bit, the mean brightness, is always 0.
 */
export async function perceptualHashOf(pixels: Pixels): Promise<string | null> {
  const grey = await fromPixels(pixels)
    .flatten({ background: "#ffffff" })
    .resize(SIDE, SIDE, { fit: "fill" })
    .greyscale()
    .raw()
    .toBuffer();
  const values = Array.from(grey);
  if (deviation(values) < FLAT) return null;
  const [, ...frequencies] = lowFrequencies(values);
  const middle = median(frequencies);
  const bits = ["0", ...frequencies.map((value) => (value > middle ? "1" : "0"))].join("");
  return BigInt(`0b${bits}`).toString(16).padStart(16, "0");
}

/**
 * DCT-II, rows then columns: F(u, v) = Σx Σy f(x, y) · cos((2x + 1)uπ / 2N) · cos((2y + 1)vπ / 2N).
 * The usual scale is omitted: it hardly changes which values are above the median.
 */
function lowFrequencies(values: number[]): number[] {
  const alongRow = (y: number, u: number) =>
    sum(indexes(SIDE).map((x) => (values[y * SIDE + x] ?? 0) * cosine(x, u)));
  const rows = indexes(SIDE).map((y) => indexes(KEPT).map((u) => alongRow(y, u)));
  const alongColumn = (u: number, v: number) =>
    sum(indexes(SIDE).map((y) => (rows[y]?.[u] ?? 0) * cosine(y, v)));
  return indexes(KEPT).flatMap((v) => indexes(KEPT).map((u) => alongColumn(u, v)));
}

function cosine(at: number, frequency: number): number {
  return Math.cos(((2 * at + 1) * frequency * Math.PI) / (2 * SIDE));
}

function deviation(values: number[]): number {
  const mean = sum(values) / values.length;
  return Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / values.length);
}

/** Works for an odd number of values only. */
function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) / 2] ?? 0;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function indexes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
