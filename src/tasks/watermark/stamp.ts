import type { Pixels } from "../../imaging/pixels/pixels.js";
import { fromPixels, toPixels } from "../../imaging/pixels/raw-pixels.js";

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
