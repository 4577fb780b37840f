import type { Pixels } from "./pixels.js";
import { fromPixels, toPixels } from "./raw-pixels.js";

/** A rectangle of a picture, in its pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** What lies in the box, scaled down to `width`; never up. */
export function cropPixels(pixels: Pixels, box: Box, width: number = box.width): Promise<Pixels> {
  const cut = fromPixels(pixels).extract(box);
  if (width >= box.width) return toPixels(cut);
  return toPixels(
    cut.resize(width, Math.max(1, Math.round((box.height * width) / box.width)), { fit: "fill" }),
  );
}
