import type { Sharp } from "sharp";
import type { Pixels } from "./pixels.js";
import { sharp } from "./sharp.js";

/** A pipeline that starts from decoded pixels. */
export function fromPixels({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
}

/**
 * The pixels at the end of a pipeline; sRGB is what the library converts to unless told otherwise.
 */
export async function toPixels(pipeline: Sharp): Promise<Pixels> {
  const { data, info } = await pipeline
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels !== 3 && channels !== 4)
    throw new Error(`A picture in sRGB came out with ${channels} channels.`);
  return { data, width, height, channels };
}
