import { rgbaToThumbHash } from "thumbhash";
import { fromPixels, type Pixels, shrinkToFit } from "../pixels/pixels.js";

/** Maximum width and height that the format allows. */
const MAX_SIDE = 100;

/**
 * About 25 bytes from which a client draws a blurred picture with its aspect ratio and
 * transparency. See https://evanw.github.io/thumbhash/
 */
export async function thumbhashOf(pixels: Pixels): Promise<Uint8Array> {
  const small = await shrinkToFit(pixels, MAX_SIDE);
  const rgba = await fromPixels(small).ensureAlpha().raw().toBuffer();
  return rgbaToThumbHash(small.width, small.height, rgba);
}
