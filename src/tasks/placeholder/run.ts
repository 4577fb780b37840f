import type { TaskContext } from "../define-task.js";
import { readPreview } from "../photo-work.js";
import { blurhashOf } from "../../imaging/fingerprints/blurhash.js";
import type { DecodedPhoto } from "../../imaging/pixels/decode-photo.js";
import { encodePixels } from "../../imaging/pixels/encode-pixels.js";
import { type Pixels, shrinkToFit } from "../../imaging/pixels/pixels.js";
import { thumbhashOf } from "../../imaging/fingerprints/thumbhash.js";

export async function run(context: TaskContext<Record<string, never>>) {
  const preview = await readPreview(context);
  context.progress(0.5, "computing placeholders");
  const result = await placeholderOf(preview);
  context.progress(1, "done");
  return result;
}

/** Computes the placeholders from a preview of the photo. */
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

/** A data URI of about 110 characters, small enough for a page's markup. */
async function tinyPicture(pixels: Pixels): Promise<string> {
  const webp = await encodePixels(await shrinkToFit(pixels, 16), "webp", 20);
  return `data:image/webp;base64,${webp.toString("base64")}`;
}

/**
 * The mean of the sRGB values as `#rrggbb`, weighted by opacity; black for a fully transparent
 * picture. It is not computed in linear light, because browsers also mix sRGB values when they blur
 * a picture.
 */
function averageColorOf({ data, channels }: Pixels): string {
  const sums: [number, number, number] = [0, 0, 0];
  let weights = 0;
  for (let at = 0; at < data.length; at += channels) {
    const weight = channels === 4 ? byte(data, at + 3) / 255 : 1;
    weights += weight;
    for (const channel of [0, 1, 2] as const) sums[channel] += weight * byte(data, at + channel);
  }
  const hex = sums.map((sum) =>
    Math.round(weights === 0 ? 0 : sum / weights)
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${hex.join("")}`;
}

function byte(data: Buffer, at: number): number {
  return data[at] ?? 0;
}
