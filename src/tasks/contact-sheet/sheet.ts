import type { Pixels } from "../../imaging/pixels/pixels.js";
import { fromPixels, toPixels } from "../../imaging/pixels/raw-pixels.js";

/**
 * A white page of square cells, filled one by one: the pictures are copied into one buffer, five
 * times faster than laying a hundred over each other.
 */
export interface Sheet {
  pixels: Pixels;
  /**
   * Puts a picture, no larger than a cell, into the middle of the cell at `index`, counted row by
   * row.
   */
  place(picture: Pixels, index: number): Promise<void>;
}

export function createSheet({
  columns,
  rows,
  cell,
}: {
  columns: number;
  rows: number;
  cell: number;
}): Sheet {
  const [width, height] = [columns * cell, rows * cell];
  const data = Buffer.alloc(3 * width * height, 255);
  async function place(picture: Pixels, index: number): Promise<void> {
    const opaque =
      picture.channels === 3
        ? picture
        : await toPixels(fromPixels(picture).flatten({ background: "#ffffff" }));
    const left = (index % columns) * cell + Math.floor((cell - opaque.width) / 2);
    const top = Math.floor(index / columns) * cell + Math.floor((cell - opaque.height) / 2);
    const stride = 3 * opaque.width;
    for (let row = 0; row < opaque.height; row++)
      opaque.data.copy(data, 3 * ((top + row) * width + left), row * stride, (row + 1) * stride);
  }
  return { pixels: { data, width, height, channels: 3 }, place };
}
