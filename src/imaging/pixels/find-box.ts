import { type Box, fromPixels, type Pixels } from "./pixels.js";

/**
 * `attention`: where luminance changes most, colours are strong or skin is seen. `entropy`: where
 * most is told.
 */
export type CropStrategy = "attention" | "entropy" | "center";

type Size = Pick<Box, "width" | "height">;

/** Where in `whole`, of which `preview` is a smaller picture, a box of this size belongs. */
export async function findBox(
  preview: Pixels,
  whole: Size,
  size: Size,
  strategy: CropStrategy,
): Promise<Box> {
  const room = { left: whole.width - size.width, top: whole.height - size.height };
  if (strategy === "center")
    return { left: Math.floor(room.left / 2), top: Math.floor(room.top / 2), ...size };
  const scale = { x: whole.width / preview.width, y: whole.height / preview.height };
  const small = [
    smaller(size.width / scale.x, preview.width),
    smaller(size.height / scale.y, preview.height),
  ] as const;
  const { info } = await fromPixels(preview)
    .resize(...small, { fit: "cover", position: strategy })
    .raw()
    .toBuffer({ resolveWithObject: true });
  // Told as by how much the picture was moved: to the left is negative.
  const { cropOffsetLeft = 0, cropOffsetTop = 0 } = info;
  return {
    left: within(-cropOffsetLeft * scale.x, room.left),
    top: within(-cropOffsetTop * scale.y, room.top),
    ...size,
  };
}

function smaller(length: number, most: number): number {
  return Math.min(most, Math.max(1, Math.round(length)));
}

function within(offset: number, room: number): number {
  return Math.min(room, Math.max(0, Math.round(offset)));
}
