import { readFile } from "node:fs/promises";
import { decodePhoto } from "../../imaging/pixels/decode-photo.js";
import { encodePixels } from "../../imaging/pixels/encode-pixels.js";
import { OUTPUT_FILES } from "../../imaging/formats/photo-format.js";
import { DEFAULT_MAX_PIXELS } from "../../imaging/formats/photo-limits.js";
import { readPhotoTags } from "../../imaging/metadata/read-photo-tags.js";
import type { TaskContext } from "../define-task.js";
import { onlyPhoto } from "../photo-work.js";
import { chosenExif } from "./chosen-exif.js";
import type { ConvertParameters } from "./task.js";

export async function run(context: TaskContext<ConvertParameters>) {
  const { photos, signal, progress, output, maxPixels = DEFAULT_MAX_PIXELS } = context;
  const { format, quality, lossless, keepMetadata } = context.parameters;
  const photo = onlyPhoto(photos);
  progress(0, "decoding");
  const { pixels, warnings } = await decodePhoto(photo.path, { maxPixels });
  signal.throwIfAborted();
  progress(0.4, `encoding ${format.toUpperCase()}`);
  const exif = keepMetadata ? chosenExif(await readPhotoTags(await readFile(photo.path))) : null;
  const data = await encodePixels(pixels, format, quality, { lossless, exif });
  signal.throwIfAborted();
  progress(0.95, "writing");
  const { width, height } = pixels;
  const { extension, mimeType } = OUTPUT_FILES[format];
  const { byteSize } = await output({
    name: `converted.${extension}`,
    mimeType,
    width,
    height,
    data,
  });
  progress(1, "done");
  return {
    format,
    width,
    height,
    byteSize,
    ratio: byteSize / photo.byteSize,
    ...(warnings.length > 0 && { warnings }),
  };
}
