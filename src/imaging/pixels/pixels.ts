// The one place where the image library is set up. Only child processes (and tests) import this
// file and what stands on it: a photo that crashes or bloats the library then costs a child and not
// the service.
import sharp, { type Sharp } from "sharp";

// Unblocking alone is no allow-list: everything is blocked first, SVG and PDF and what a later
// release may bring.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: ["Jpeg", "Png", "Webp", "Heif", "Nsgif", "Tiff"].map(
    (format) => `VipsForeignLoad${format}`,
  ),
});

// One core a child, and no memory of earlier photos: there are as many children as cores.
sharp.concurrency(1);
sharp.cache(false);

export { sharp };

/**
 * A decoded picture: upright, sRGB, 8 bits a channel, row by row; four channels when it has
 * transparency, not premultiplied.
 */
export interface Pixels {
  data: Buffer;
  width: number;
  height: number;
  channels: 3 | 4;
}

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

/** A rectangle of a picture, in its pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** What lies in the box, scaled down to `width`; never up. */
export function cropPixels(pixels: Pixels, box: Box, width: number = box.width): Promise<Pixels> {
  const cut = fromPixels(pixels).extract(box);
  if (width >= box.width) return toPixels(cut);
  return toPixels(
    cut.resize(width, Math.max(1, Math.round((box.height * width) / box.width)), { fit: "fill" }),
  );
}
