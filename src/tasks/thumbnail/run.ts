import type { z } from "zod";
import { decodePhoto } from "../../imaging/decode-photo.js";
import { encodePixels } from "../../imaging/encode-pixels.js";
import { OUTPUT_FILES } from "../../imaging/output-format.js";
import { DEFAULT_MAX_PIXELS } from "../../imaging/photo-limits.js";
import type { Pixels } from "../../imaging/pixels.js";
import { shrinkPixels } from "../../imaging/shrink-pixels.js";
import type { TaskContext } from "../define-task.js";
import type { parameters } from "./task.js";

type Parameters = z.output<typeof parameters>;

/** A picture of the size asked for, encoded. */
interface Encoded {
  pixels: Pixels;
  data: Buffer;
}

export async function run(context: TaskContext<Parameters>) {
  const { photos, progress, maxPixels = DEFAULT_MAX_PIXELS } = context;
  const { widths } = context.parameters;
  const [photo] = photos;
  if (photo === undefined) throw new Error("It takes one photo and got none.");
  progress(0, "decoding");
  const { header, pixels, warnings } = await decodePhoto(photo.path, { maxPixels, width: Math.max(...widths) });
  const encoded = await cascade(context, pixels, header);
  progress(0.95, "writing");
  const variants = [];
  for (const width of widths) variants.push(await write(context, width, encoded));
  progress(1, "done");
  return { variants, ...(warnings.length > 0 && { warnings }) };
}

/** From the largest down: each variant is shrunk from the next larger one, not from the photo, which is decoded once. */
async function cascade({ parameters, signal, progress }: TaskContext<Parameters>, decoded: Pixels, whole: Size): Promise<Map<number, Encoded>> {
  const { widths, format, quality } = parameters;
  const encoded = new Map<number, Encoded>();
  for (const width of [...widths].sort((a, b) => b - a)) {
    signal.throwIfAborted();
    progress(0.3 + (0.65 * encoded.size) / widths.length, `making the ${width} px variant`);
    const larger = [...encoded.values()].at(-1);
    const pixels = await shrinkToWidth(larger?.pixels ?? decoded, Math.min(width, whole.width), whole);
    // Of widths above the photo's own all variants are alike.
    const data = pixels === larger?.pixels ? larger.data : await encodePixels(pixels, format, quality);
    encoded.set(width, { pixels, data });
  }
  return encoded;
}

type Size = Pick<Pixels, "width" | "height">;

/** The height comes from the photo's own size, so that rounding does not add up along the cascade. */
function shrinkToWidth(pixels: Pixels, width: number, whole: Size): Promise<Pixels> {
  return shrinkPixels(pixels, width, Math.max(1, Math.round((whole.height * width) / whole.width)));
}

async function write({ parameters, output }: TaskContext<Parameters>, asked: number, encoded: Map<number, Encoded>) {
  const made = encoded.get(asked);
  if (made === undefined) throw new Error(`The ${asked} px variant was not made.`);
  const { width, height } = made.pixels;
  const { extension, mimeType } = OUTPUT_FILES[parameters.format];
  const { name, byteSize } = await output({ name: `${asked}w.${extension}`, mimeType, width, height, data: made.data });
  return { name, width, height, format: parameters.format, byteSize };
}
