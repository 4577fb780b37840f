/**
 * A GIF (GIF89a) with frames of 1 × 1 pixel, one for each colour (at most four), repeated `times`
 * times.
 */
export function makeGif(colors: [number, number, number][], times = 1): Buffer {
  const header = Buffer.from([...Buffer.from("GIF89a"), 1, 0, 1, 0, 0b1000_0001, 0, 0]);
  const palette = Buffer.alloc(12);
  colors.forEach((color, index) => palette.set(color, 3 * index));
  // Codes have 3 bits, the first in the lowest bits: clear (4), the colour, end (5).
  const frames = colors.map((_, index) => {
    const code = 4 | (index << 3) | (5 << 6);
    return [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, code & 0xff, code >> 8, 0];
  });
  const all = Array.from({ length: times }, () => frames.flat()).flat();
  return Buffer.concat([header, palette, Buffer.from(all), Buffer.from([0x3b])]);
}
