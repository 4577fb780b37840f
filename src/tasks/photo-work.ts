import { type DecodedPhoto, decodePreview } from "../imaging/pixels/decode-photo.js";
import { DEFAULT_MAX_PIXELS } from "../imaging/formats/photo-format.js";
import type { TaskContext, TaskPhoto } from "./define-task.js";

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

/** The photo of a task that takes exactly one. */
export function onlyPhoto(photos: TaskPhoto[]): TaskPhoto {
  const [photo] = photos;
  if (photo === undefined) throw new Error("It takes one photo and got none.");
  return photo;
}

type Progress = TaskContext<unknown>["progress"];

/** The progress of a part that takes the whole from `from` to `to`, told by the part as 0 to 1. */
export function partOfProgress(progress: Progress, from: number, to: number): Progress {
  return (fraction, message) => progress(from + (to - from) * fraction, message);
}
