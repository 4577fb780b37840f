import type { Pixels } from "../../imaging/pixels/pixels.js";

/** How dark, of 1. */
const SHADOW = 0.6;

/**
 * The glyphs over their own shadow in black, `offset` pixels to the right and down, all of it as
 * opaque as asked for; larger by the offset. Not premultiplied, "over" of Porter and Duff.
 */
export function addShadow(glyphs: Pixels, offset: number, opacity: number): Pixels {
  const [width, height] = [glyphs.width + offset, glyphs.height + offset];
  const data = Buffer.alloc(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const glyph = alphaAt(glyphs, x, y);
      const alpha = glyph + SHADOW * alphaAt(glyphs, x - offset, y - offset) * (1 - glyph);
      if (alpha === 0) continue;
      const at = 4 * (y * width + x);
      for (let channel = 0; channel < 3 && glyph > 0; channel++)
        data[at + channel] = Math.round(
          ((glyphs.data[4 * (y * glyphs.width + x) + channel] ?? 0) * glyph) / alpha,
        );
      data[at + 3] = Math.round(255 * opacity * alpha);
    }
  }
  return { data, width, height, channels: 4 };
}

function alphaAt({ data, width, height }: Pixels, x: number, y: number): number {
  if (x < 0 || y < 0 || x >= width || y >= height) return 0;
  return (data[4 * (y * width + x) + 3] ?? 0) / 255;
}
