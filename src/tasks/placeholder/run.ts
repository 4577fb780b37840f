import { averageColorOf } from "../../imaging/average-color.js";
import { blurhashOf } from "../../imaging/blurhash.js";
import { decodePreview } from "../../imaging/decode-preview.js";
import { encodePixels } from "../../imaging/encode-pixels.js";
import { DEFAULT_MAX_PIXELS } from "../../imaging/photo-limits.js";
import type { Pixels } from "../../imaging/pixels.js";
import { shrinkToFit } from "../../imaging/shrink-pixels.js";
import { thumbhashOf } from "../../imaging/thumbhash.js";
import type { TaskContext } from "../define-task.js";

export async function run({ photos, signal, progress, maxPixels = DEFAULT_MAX_PIXELS }: TaskContext<Record<string, never>>) {
  const [photo] = photos;
  if (photo === undefined) throw new Error("It takes one photo and got none.");
  progress(0, "decoding");
  const { header, pixels, warnings } = await decodePreview(photo.path, { maxPixels });
  signal.throwIfAborted();
  progress(0.5, "describing");
  const result = {
    thumbhash: Buffer.from(await thumbhashOf(pixels)).toString("base64"),
    blurhash: await blurhashOf(pixels),
    lqip: await tinyPicture(pixels),
    averageColor: averageColorOf(pixels),
    aspectRatio: header.width / header.height,
    ...(warnings.length > 0 && { warnings }),
  };
  progress(1, "done");
  return result;
}

/** About 110 characters: small enough to stand in a page's markup. */
async function tinyPicture(pixels: Pixels): Promise<string> {
  const webp = await encodePixels(await shrinkToFit(pixels, 16), "webp", 20);
  return `data:image/webp;base64,${webp.toString("base64")}`;
}
