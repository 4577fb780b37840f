import { encode } from "blurhash";
import { fromPixels, type Pixels, shrinkToFit } from "../pixels/pixels.js";

/** The format stores 4 × 3 waves: a larger picture only takes more time. */
const SIDE = 32;

/**
 * A string of 28 characters from which a client draws a blurred picture. Transparent parts are
 * white. See https://github.com/woltapp/blurhash
 */
export async function blurhashOf(pixels: Pixels): Promise<string> {
  const small = await shrinkToFit(pixels, SIDE);
  const rgba = await fromPixels(small)
    .flatten({ background: "#ffffff" })
    .ensureAlpha()
    .raw()
    .toBuffer();
  return encode(new Uint8ClampedArray(rgba), small.width, small.height, 4, 3);
}
