import { cropPixels } from "../../imaging/pixels/crop-pixels.js";
import { decodePhoto, type DecodedPhoto } from "../../imaging/pixels/decode-photo.js";
import { PREVIEW_SIDE } from "../../imaging/pixels/decode-preview.js";
import { encodePixels } from "../../imaging/pixels/encode-pixels.js";
import { FAITHFUL_QUALITY } from "../../imaging/pixels/faithful-quality.js";
import { findBox } from "../../imaging/pixels/find-box.js";
import { outputFormatOf } from "../../imaging/formats/output-format-of.js";
import { OUTPUT_FILES } from "../../imaging/formats/output-format.js";
import { DEFAULT_MAX_PIXELS } from "../../imaging/formats/photo-limits.js";
import type { Pixels } from "../../imaging/pixels/pixels.js";
import { shrinkToFit } from "../../imaging/pixels/shrink-pixels.js";
import type { TaskContext } from "../define-task.js";
import { onlyPhoto } from "../only-photo.js";
import { largestBox } from "./largest-box.js";
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
