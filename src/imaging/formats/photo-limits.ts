import { PhotoTooLargeError } from "../../domain/errors.js";
import type { PhotoFormat } from "./photo-format.js";

/** 100 megapixels. */
export const DEFAULT_MAX_PIXELS = 100_000_000;
const MAX_PAGES = 1000;
/** libvips counts in places with 16 bits, and WebP and most browsers end earlier. */
const MAX_SIDE = 32_767;

/**
 * Pixels that a photo of this format may have. Decoding AVIF or HEIC takes up to 18 bytes a pixel,
 * against 3 to 8 for others.
 */
export function maxPixelsOf(format: PhotoFormat, maxPixels: number): number {
  return format === "avif" || format === "heic" ? Math.floor(maxPixels / 2) : maxPixels;
}

/**
 * Throws PhotoTooLargeError with a sentence that names the limit. Sizes come from the header,
 * before any decode.
 */
export function checkPhotoLimits(
  photo: { format: PhotoFormat; width: number; height: number; pages: number },
  maxPixels: number,
): void {
  const { width, height, pages } = photo;
  const most = maxPixelsOf(photo.format, maxPixels);
  const size = `${width} × ${height}`;
  if (Math.max(width, height) > MAX_SIDE) {
    throw new PhotoTooLargeError(
      `The photo measures ${size} pixels; a side may have ${MAX_SIDE} at most. Scale it ` +
        "down and upload it again.",
    );
  }
  if (width * height > most) {
    const counted = `${megapixels(width * height)} megapixels (${size})`;
    throw new PhotoTooLargeError(
      `The photo has ${counted}; at most ${megapixels(most)} are accepted. Scale it down ` +
        "and upload it again.",
    );
  }
  if (pages > MAX_PAGES) {
    throw new PhotoTooLargeError(
      `The file has ${pages} pages or frames; at most ${MAX_PAGES} are accepted.`,
    );
  }
}

function megapixels(pixels: number): string {
  return String(Math.round(pixels / 10_000) / 100);
}
