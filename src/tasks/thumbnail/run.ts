import { decodePhoto } from "../../imaging/pixels/decode-photo.js";
import { DEFAULT_MAX_PIXELS } from "../../imaging/formats/photo-limits.js";
import type { TaskContext } from "../define-task.js";
import { onlyPhoto, partOfProgress } from "../photo-work.js";
import { makeThumbnails } from "./make-thumbnails.js";
import type { ThumbnailParameters } from "./task.js";

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
