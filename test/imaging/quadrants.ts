import assert from "node:assert/strict";
import { sharp } from "../../src/imaging/pixels/pixels.js";

type Color = readonly [number, number, number];

const RED: Color = [220, 30, 40];
const GREEN: Color = [30, 180, 60];
const BLUE: Color = [40, 60, 210];
const YELLOW: Color = [230, 210, 40];

/** The upright test picture: red and green above, blue and yellow below. */
function colorAt(x: number, y: number, width: number, height: number): Color {
  if (y < height / 2) return x < width / 2 ? RED : GREEN;
  return x < width / 2 ? BLUE : YELLOW;
}

/**
 * The raw stored pixels of a file with this EXIF orientation, whose upright picture has `width` ×
 * `height`. They follow the standard's table of row 0 and column 0 (EXIF 2.32, Orientation),
 * without the library under test.
 */
export function storedQuadrants(width: number, height: number, orientation: number) {
  const [storedX, storedY] = storedAt(width, height)[orientation - 1] ?? [];
  assert(storedX && storedY);
  const turned = orientation > 4;
  const storedWidth = turned ? height : width;
  const data = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      data.set(colorAt(x, y, width, height), 3 * (storedY(x, y) * storedWidth + storedX(x, y)));
  }
  return {
    data,
    raw: { width: storedWidth, height: turned ? width : height, channels: 3 as const },
  };
}

type Place = (x: number, y: number) => number;

/**
 * For each orientation, the stored column and row of the pixel at `x`, `y` of the upright picture.
 */
function storedAt(width: number, height: number): [Place, Place][] {
  const right = width - 1;
  const bottom = height - 1;
  return [
    [(x) => x, (_, y) => y],
    [(x) => right - x, (_, y) => y],
    [(x) => right - x, (_, y) => bottom - y],
    [(x) => x, (_, y) => bottom - y],
    [(_, y) => y, (x) => x],
    [(_, y) => y, (x) => right - x],
    [(_, y) => bottom - y, (x) => right - x],
    [(_, y) => bottom - y, (x) => x],
  ];
}

/** An image pipeline that starts from the upright picture. */
export function quadrants(width: number, height: number) {
  const { data, raw } = storedQuadrants(width, height, 1);
  return sharp(data, { raw });
}

/**
 * Fails unless the encoded picture has the four colours in their places, within `tolerance` per
 * channel.
 */
export async function assertQuadrants(encoded: Buffer, tolerance = 12): Promise<void> {
  for (const { actual, expected, where } of await centres(encoded))
    assertColor(actual, expected, tolerance, where);
}

/** For blurred pictures: each colour must be nearer to the expected one than to the other three. */
export async function assertRoughQuadrants(encoded: Buffer): Promise<void> {
  for (const { actual, expected, where } of await centres(encoded)) {
    const distance = (color: Color) =>
      Math.hypot(...color.map((value, channel) => value - (actual[channel] ?? 0)));
    const [nearest] = [RED, GREEN, BLUE, YELLOW].sort(
      (one, other) => distance(one) - distance(other),
    );
    assert.equal(nearest, expected, `${where} it is ${actual.join(", ")}`);
  }
}

async function centres(encoded: Buffer) {
  const { data, info } = await sharp(encoded)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return (
    [
      [0.25, 0.25],
      [0.75, 0.25],
      [0.25, 0.75],
      [0.75, 0.75],
    ] as const
  ).map(([x, y]) => {
    const column = Math.floor(info.width * x);
    const row = Math.floor(info.height * y);
    const at = info.channels * (row * info.width + column);
    return {
      actual: [...data.subarray(at, at + 3)],
      expected: colorAt(column, row, info.width, info.height),
      where: `at ${column}, ${row}`,
    };
  });
}

export function assertColor(
  actual: number[],
  expected: readonly number[],
  tolerance: number,
  where = "",
): void {
  const near =
    actual.length === expected.length &&
    actual.every((value, channel) => Math.abs(value - (expected[channel] ?? 0)) <= tolerance);
  assert(near, `${where} it is ${actual.join(", ")}, not ${expected.join(", ")}`);
}
