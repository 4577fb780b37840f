import { fromPixels, type Pixels, toPixels } from "../../imaging/pixels/pixels.js";

/**
 * Lays a mark, no larger than the picture, on `picture` at this place; changes its pixels in place,
 * and only where the mark is.
 */
export async function stamp(
  picture: Pixels,
  mark: Pixels,
  { left, top }: { left: number; top: number },
): Promise<void> {
  const { channels } = picture;
  const { data, width, height } = mark;
  // Only what is below the mark goes through the library: of a large photo all pixels once more
  // would be 300 MB.
  const below = Buffer.alloc(width * height * channels);
  const stride = width * channels;
  const rowAt = (row: number) => ((top + row) * picture.width + left) * channels;
  for (let row = 0; row < height; row++)
    picture.data.copy(below, row * stride, rowAt(row), rowAt(row) + stride);
  const overlay = { input: data, raw: { width, height, channels: mark.channels } };
  const stamped = fromPixels({ data: below, width, height, channels }).composite([overlay]);
  const made = await toPixels(channels === 3 ? stamped.removeAlpha() : stamped);
  for (let row = 0; row < height; row++)
    made.data.copy(picture.data, rowAt(row), row * stride, (row + 1) * stride);
}

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
