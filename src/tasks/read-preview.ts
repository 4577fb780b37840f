import type { DecodedPhoto } from "../imaging/pixels/decode-photo.js";
import { decodePreview } from "../imaging/pixels/decode-preview.js";
import { DEFAULT_MAX_PIXELS } from "../imaging/formats/photo-limits.js";
import type { TaskContext, TaskPhoto } from "./define-task.js";
import { onlyPhoto } from "./only-photo.js";

/**
 * How tasks begin that look at a small picture of their one photo; the first half of their
 * progress.
 */
export async function readPreview({
  photos,
  signal,
  progress,
  maxPixels = DEFAULT_MAX_PIXELS,
}: Omit<TaskContext<unknown>, "parameters">): Promise<DecodedPhoto & { photo: TaskPhoto }> {
  const photo = onlyPhoto(photos);
  progress(0, "decoding");
  const decoded = await decodePreview(photo.path, { maxPixels });
  signal.throwIfAborted();
  return { photo, ...decoded };
}
