import type { Pixels } from "./pixels.js";
import { fromPixels, toPixels } from "./raw-pixels.js";

/** Scales to exactly this size; the given pixels when they have it already. */
export async function shrinkPixels(pixels: Pixels, width: number, height: number): Promise<Pixels> {
  if (width === pixels.width && height === pixels.height) return pixels;
  return toPixels(fromPixels(pixels).resize(width, height, { fit: "fill" }));
}

/** Scales down so that neither side is longer than `side`. */
export function shrinkToFit(pixels: Pixels, side: number): Promise<Pixels> {
  const factor = Math.min(1, side / Math.max(pixels.width, pixels.height));
  const scaled = (length: number) => Math.max(1, Math.round(length * factor));
  return shrinkPixels(pixels, scaled(pixels.width), scaled(pixels.height));
}
