// The only place that configures the image library. Only child processes and tests import this
// file, directly or indirectly. A photo that crashes the library or exhausts its memory then ends a
// child, not the service.
import sharp, { type Sharp } from "sharp";

// Unblocking alone is not an allow-list. So everything is blocked first, including SVG, PDF and the
// formats of later releases.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: ["Jpeg", "Png", "Webp", "Heif", "Nsgif", "Tiff"].map(
    (format) => `VipsForeignLoad${format}`,
  ),
});

// One core per child and no cache of earlier photos, because there are as many children as cores.
sharp.concurrency(1);
sharp.cache(false);

export { sharp };

/**
 * A decoded picture: upright, sRGB, 8 bits per channel, row by row. It has four channels when it
 * has transparency, not premultiplied.
 */
export interface Pixels {
  data: Buffer;
  width: number;
  height: number;
  channels: 3 | 4;
}

export function fromPixels({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
}

/** Runs a pipeline and returns its pixels. The library converts to sRGB by default. */
export async function toPixels(pipeline: Sharp): Promise<Pixels> {
  const { data, info } = await pipeline
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels !== 3 && channels !== 4)
    throw new Error(
      `The image library returned a picture with ${channels} channels instead of 3 or 4.`,
    );
  return { data, width, height, channels };
}

/** Scales to exactly this size; returns the same object when the size is already right. */
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

/** A rectangle in a picture, in pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Cuts out the box and scales it down to `width`, never up. */
export function cropPixels(pixels: Pixels, box: Box, width: number = box.width): Promise<Pixels> {
  const cut = fromPixels(pixels).extract(box);
  if (width >= box.width) return toPixels(cut);
  return toPixels(
    cut.resize(width, Math.max(1, Math.round((box.height * width) / box.width)), { fit: "fill" }),
  );
}
