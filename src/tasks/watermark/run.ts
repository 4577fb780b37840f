import { decodePhoto } from "../../imaging/pixels/decode-photo.js";
import { encodePixels, FAITHFUL_QUALITY } from "../../imaging/pixels/encode-pixels.js";
import { OUTPUT_FILES, outputFormatOf } from "../../imaging/formats/photo-format.js";
import { DEFAULT_MAX_PIXELS } from "../../imaging/formats/photo-limits.js";
import type { Pixels } from "../../imaging/pixels/pixels.js";
import type { TaskContext } from "../define-task.js";
import { onlyPhoto } from "../photo-work.js";
import { addShadow, stamp } from "./stamp.js";
import { renderText } from "./render-text.js";
import type { WatermarkParameters } from "./task.js";

export async function run(context: TaskContext<WatermarkParameters>) {
  const { photos, signal, progress, output, maxPixels = DEFAULT_MAX_PIXELS } = context;
  const photo = onlyPhoto(photos);
  progress(0, "decoding");
  const { header, pixels, warnings } = await decodePhoto(photo.path, { maxPixels });
  signal.throwIfAborted();
  progress(0.4, "drawing the text");
  const margin = Math.round(Math.min(pixels.width, pixels.height) * MARGIN);
  const mark = await markFor(pixels, margin, context.parameters);
  await stamp(pixels, mark, placeOf(pixels, mark, margin, context.parameters.gravity));
  signal.throwIfAborted();
  const format = outputFormatOf(header.format);
  progress(0.5, `encoding ${format.toUpperCase()}`);
  const data = await encodePixels(pixels, format, FAITHFUL_QUALITY[format]);
  progress(0.95, "writing");
  const { width, height } = pixels;
  const { extension, mimeType } = OUTPUT_FILES[format];
  await output({ name: `watermarked.${extension}`, mimeType, width, height, data });
  progress(1, "done");
  return { width, height, format, ...(warnings.length > 0 && { warnings }) };
}

/** Of the shorter side. */
const MARGIN = 0.02;
/** Of the text's height. */
const SHADOW_OFFSET = 0.04;

/** As large as asked for, but within the margins. */
async function markFor(
  picture: Pixels,
  margin: number,
  { text, scale, opacity }: WatermarkParameters,
): Promise<Pixels> {
  const side = (length: number) =>
    Math.max(1, Math.floor(Math.min(length * scale, (length - 2 * margin) / (1 + SHADOW_OFFSET))));
  const glyphs = await renderText(text, {
    width: side(picture.width),
    height: side(picture.height),
  });
  const room = Math.min(picture.width - glyphs.width, picture.height - glyphs.height);
  return addShadow(glyphs, Math.min(room, Math.ceil(glyphs.height * SHADOW_OFFSET)), opacity);
}

function placeOf(
  picture: Pixels,
  mark: Pixels,
  margin: number,
  gravity: WatermarkParameters["gravity"],
) {
  const place = (all: number, part: number, first: boolean, last: boolean) => {
    const edge = Math.min(margin, Math.floor((all - part) / 2));
    if (first) return edge;
    return last ? all - part - edge : Math.floor((all - part) / 2);
  };
  return {
    left: place(picture.width, mark.width, gravity.endsWith("west"), gravity.endsWith("east")),
    top: place(
      picture.height,
      mark.height,
      gravity.startsWith("north"),
      gravity.startsWith("south"),
    ),
  };
}
