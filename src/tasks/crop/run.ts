import {
  cropPixels,
  type Pixels,
  shrinkToFit,
  type Box,
  fromPixels,
} from "../../imaging/pixels/pixels.js";
import { type DecodedPhoto, decodePhoto, PREVIEW_SIDE } from "../../imaging/pixels/decode-photo.js";
import { encodePixels, FAITHFUL_QUALITY } from "../../imaging/pixels/encode-pixels.js";
import {
  OUTPUT_FILES,
  outputFormatOf,
  DEFAULT_MAX_PIXELS,
} from "../../imaging/formats/photo-format.js";
import type { TaskContext } from "../define-task.js";
import { onlyPhoto } from "../photo-work.js";
import type { CropParameters } from "./task.js";

type Context = TaskContext<CropParameters>;

export async function run(context: Context) {
  const { photos, parameters, signal, progress, maxPixels = DEFAULT_MAX_PIXELS } = context;
  const { ratios } = parameters;
  progress(0, "decoding");
  const decoded = await decodePhoto(onlyPhoto(photos).path, { maxPixels });
  const preview = await shrinkToFit(decoded.pixels, PREVIEW_SIDE);
  const crops = [];
  for (const [index, ratio] of ratios.entries()) {
    signal.throwIfAborted();
    progress(0.4 + (0.6 * index) / ratios.length, `cutting out ${ratio}`);
    crops.push(await crop(context, ratio, decoded, preview));
  }
  progress(1, "done");
  const { warnings } = decoded;
  return { crops, ...(warnings.length > 0 && { warnings }) };
}

async function crop(
  { parameters, output }: Context,
  ratio: string,
  { header, pixels }: DecodedPhoto,
  preview: Pixels,
) {
  const box = await findBox(preview, pixels, largestBox(pixels, ratio), parameters.strategy);
  const picture = await cropPixels(pixels, box, parameters.width);
  const format = outputFormatOf(header.format);
  const { extension, mimeType } = OUTPUT_FILES[format];
  const data = await encodePixels(picture, format, FAITHFUL_QUALITY[format]);
  await output({
    name: `${ratio.replace(":", "x")}.${extension}`,
    mimeType,
    width: picture.width,
    height: picture.height,
    data,
  });
  return { ratio, ...box };
}

type Size = Pick<Box, "width" | "height">;

/** The largest size with this ratio (`width:height`) that fits into `whole`; at least one pixel. */
function largestBox(whole: Size, ratio: string): Size {
  const [horizontal = 1, vertical = 1] = ratio.split(":").map(Number);
  const rounded = (length: number, max: number) => Math.min(max, Math.max(1, Math.round(length)));
  if (whole.width * vertical > whole.height * horizontal)
    return {
      width: rounded((whole.height * horizontal) / vertical, whole.width),
      height: whole.height,
    };
  return {
    width: whole.width,
    height: rounded((whole.width * vertical) / horizontal, whole.height),
  };
}

/**
 * `attention` prefers strong changes of luminance, strong colours and skin tones; `entropy` prefers
 * areas with most detail.
 */
type CropStrategy = "attention" | "entropy" | "center";

/** Finds the place of a box of this size in `whole`; `preview` is a smaller copy of it. */
async function findBox(
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
  // sharp reports how far the picture was moved: to the left is negative.
  const { cropOffsetLeft = 0, cropOffsetTop = 0 } = info;
  return {
    left: within(-cropOffsetLeft * scale.x, room.left),
    top: within(-cropOffsetTop * scale.y, room.top),
    ...size,
  };
}

function smaller(length: number, max: number): number {
  return Math.min(max, Math.max(1, Math.round(length)));
}

function within(offset: number, room: number): number {
  return Math.min(room, Math.max(0, Math.round(offset)));
}
