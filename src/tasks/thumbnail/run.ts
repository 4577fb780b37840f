import { decodePhoto, type DecodedPhoto } from "../../imaging/pixels/decode-photo.js";
import { DEFAULT_MAX_PIXELS, OUTPUT_FILES } from "../../imaging/formats/photo-format.js";
import type { TaskContext } from "../define-task.js";
import { onlyPhoto, partOfProgress } from "../photo-work.js";
import type { ThumbnailParameters } from "./task.js";
import { encodePixels } from "../../imaging/pixels/encode-pixels.js";
import { type Pixels, shrinkPixels } from "../../imaging/pixels/pixels.js";

export async function run(context: TaskContext<ThumbnailParameters>) {
  const { photos, progress, maxPixels = DEFAULT_MAX_PIXELS } = context;
  progress(0, "decoding");
  const decoded = await decodePhoto(onlyPhoto(photos).path, {
    maxPixels,
    width: Math.max(...context.parameters.widths),
  });
  const result = await makeThumbnails(
    { ...context, progress: partOfProgress(progress, 0.3, 1) },
    decoded,
  );
  progress(1, "done");
  return result;
}

type Context = Pick<
  TaskContext<ThumbnailParameters>,
  "parameters" | "signal" | "progress" | "output"
>;

interface Encoded {
  pixels: Pixels;
  data: Buffer;
}

/**
 * Writes the thumbnails of a photo as outputs. The photo must be decoded at least as wide as the
 * widest one.
 */
export async function makeThumbnails(context: Context, { header, pixels, warnings }: DecodedPhoto) {
  const { parameters, progress } = context;
  const encoded = await cascade(context, pixels, header);
  progress(0.95, "writing");
  const variants = [];
  for (const width of parameters.widths) variants.push(await write(context, width, encoded));
  return { variants, ...(warnings.length > 0 && { warnings }) };
}

/**
 * Makes the largest variant first. Each next one is shrunk from the one before instead of the
 * photo, which is decoded once.
 */
async function cascade(
  { parameters, signal, progress }: Context,
  decoded: Pixels,
  whole: Size,
): Promise<Map<number, Encoded>> {
  const { widths, format, quality } = parameters;
  const encoded = new Map<number, Encoded>();
  // The time for a variant grows with its pixels.
  const shareOf = (width: number) => Math.min(width, whole.width) ** 2;
  const total = widths.reduce((sum, width) => sum + shareOf(width), 0);
  let finished = 0;
  for (const width of [...widths].sort((a, b) => b - a)) {
    signal.throwIfAborted();
    progress((0.95 * finished) / total, `making the ${width} px variant`);
    const larger = [...encoded.values()].at(-1);
    const pixels = await shrinkToWidth(
      larger?.pixels ?? decoded,
      Math.min(width, whole.width),
      whole,
    );
    // All variants wider than the photo are the same.
    const data =
      pixels === larger?.pixels ? larger.data : await encodePixels(pixels, format, quality);
    encoded.set(width, { pixels, data });
    finished += shareOf(width);
  }
  return encoded;
}

type Size = Pick<Pixels, "width" | "height">;

/** The height is computed from the photo's size, so that rounding errors do not add up. */
function shrinkToWidth(pixels: Pixels, width: number, whole: Size): Promise<Pixels> {
  return shrinkPixels(pixels, width, Math.max(1, Math.round((whole.height * width) / whole.width)));
}

async function write(
  { parameters, output }: Context,
  requested: number,
  encoded: Map<number, Encoded>,
) {
  const variant = encoded.get(requested);
  if (variant === undefined) throw new Error(`The ${requested} px variant is missing.`);
  const { width, height } = variant.pixels;
  const { extension, mimeType } = OUTPUT_FILES[parameters.format];
  const { name, byteSize } = await output({
    name: `${requested}w.${extension}`,
    mimeType,
    width,
    height,
    data: variant.data,
  });
  return { name, width, height, format: parameters.format, byteSize };
}
