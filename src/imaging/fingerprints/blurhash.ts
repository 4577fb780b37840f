import { encode } from "blurhash";
import { fromPixels, type Pixels, shrinkToFit } from "../pixels/pixels.js";

/** The format keeps 4 × 3 waves: more pixels than these change nothing but the time. */
const SIDE = 32;

/**
 * 28 characters that unfold to a blurred picture, on white where it is transparent:
 * https://github.com/woltapp/blurhash
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
