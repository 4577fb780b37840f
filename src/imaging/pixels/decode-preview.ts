import { decodePhoto, type DecodedPhoto } from "./decode-photo.js";

/** Pixels of the longer side. */
export const PREVIEW_SIDE = 512;

/**
 * The small picture that placeholder, hash and the like start from: 31 ms for 12 megapixels,
 * against 100 for all pixels.
 */
export function decodePreview(
  path: string,
  { maxPixels }: { maxPixels: number },
): Promise<DecodedPhoto> {
  return decodePhoto(path, { maxPixels, width: PREVIEW_SIDE, height: PREVIEW_SIDE });
}
