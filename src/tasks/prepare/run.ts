import { type DecodedPhoto, decodePhoto, PREVIEW_SIDE } from "../../imaging/pixels/decode-photo.js";
import { DEFAULT_MAX_PIXELS } from "../../imaging/formats/photo-format.js";
import { MAX_WEBP_SIDE } from "../../imaging/pixels/encode-pixels.js";
import { type Pixels, shrinkToFit } from "../../imaging/pixels/pixels.js";
import type { TaskContext } from "../define-task.js";
import { hashOf } from "../hash/run.js";
import { hash } from "../hash/task.js";
import { metadataOf } from "../metadata/run.js";
import { metadata } from "../metadata/task.js";
import { onlyPhoto, partOfProgress } from "../photo-work.js";
import { paletteOf } from "../palette/run.js";
import { palette } from "../palette/task.js";
import { placeholderOf } from "../placeholder/run.js";
import { makeThumbnails } from "../thumbnail/run.js";
import { thumbnail } from "../thumbnail/task.js";

/**
 * Decodes the photo once, as wide as the widest thumbnail, and shrinks the preview for the other
 * parts from it.
 */
export async function run(context: TaskContext<Record<string, never>>) {
  const { photos, signal, progress, maxPixels = DEFAULT_MAX_PIXELS } = context;
  const photo = onlyPhoto(photos);
  const sizes = thumbnail.parameters.parse({});
  progress(0, "decoding");
  const decoded = await decodePhoto(photo.path, { maxPixels, width: Math.max(...sizes.widths) });
  const thumbnails = await makeThumbnails(
    {
      ...context,
      parameters: { ...sizes, format: formatFor(decoded.pixels) },
      progress: partOfProgress(progress, 0.3, 0.7),
    },
    decoded,
  );
  signal.throwIfAborted();
  progress(0.7, "reading the tags");
  const tags = await metadataOf(photo.path, decoded.header, metadata.parameters.parse({}));
  const { warnings } = decoded;
  const looks = await look(context, {
    ...decoded,
    pixels: await shrinkToFit(decoded.pixels, PREVIEW_SIDE),
  });
  progress(1, "done");
  return {
    thumbnail: thumbnails,
    metadata: tags,
    ...looks,
    ...(warnings.length > 0 && { warnings }),
  };
}

/**
 * A scrolled screenshot may be too tall for WebP. The user chose no format, so an error would not
 * help.
 */
function formatFor({ height, channels }: Pixels): "webp" | "jpeg" | "png" {
  if (height <= MAX_WEBP_SIDE) return "webp";
  return channels === 4 ? "png" : "jpeg";
}

async function look(context: TaskContext<Record<string, never>>, preview: DecodedPhoto) {
  const { signal, progress } = context;
  signal.throwIfAborted();
  progress(0.8, "computing placeholders");
  const placeholder = await placeholderOf(preview);
  const colors = await paletteOf(preview, palette.parameters.parse({}));
  signal.throwIfAborted();
  progress(0.9, "looking for duplicates");
  const hashes = await hashOf(
    { ...context, parameters: hash.parameters.parse({}) },
    onlyPhoto(context.photos),
    preview,
  );
  return { placeholder, palette: colors, hash: hashes };
}
