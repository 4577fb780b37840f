import { averageColorOf } from "../../imaging/pixels/average-color.js";
import { blurhashOf } from "../../imaging/fingerprints/blurhash.js";
import type { DecodedPhoto } from "../../imaging/pixels/decode-photo.js";
import { encodePixels } from "../../imaging/pixels/encode-pixels.js";
import type { Pixels } from "../../imaging/pixels/pixels.js";
import { shrinkToFit } from "../../imaging/pixels/shrink-pixels.js";
import { thumbhashOf } from "../../imaging/fingerprints/thumbhash.js";

/** From a preview of the photo. */
export async function placeholderOf({ header, pixels, warnings }: DecodedPhoto) {
  return {
    thumbhash: Buffer.from(await thumbhashOf(pixels)).toString("base64"),
    blurhash: await blurhashOf(pixels),
    lqip: await tinyPicture(pixels),
    averageColor: averageColorOf(pixels),
    aspectRatio: header.width / header.height,
    ...(warnings.length > 0 && { warnings }),
  };
}

/** About 110 characters: small enough to stand in a page's markup. */
async function tinyPicture(pixels: Pixels): Promise<string> {
  const webp = await encodePixels(await shrinkToFit(pixels, 16), "webp", 20);
  return `data:image/webp;base64,${webp.toString("base64")}`;
}
