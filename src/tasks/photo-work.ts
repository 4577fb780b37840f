import { type DecodedPhoto, decodePreview } from "../imaging/pixels/decode-photo.js";
import { DEFAULT_MAX_PIXELS } from "../imaging/formats/photo-format.js";
import type { TaskContext, TaskPhoto } from "./define-task.js";

/** Decodes a small picture of the only photo: the first half of the progress of such tasks. */
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

/** Returns the photo of a task that takes exactly one. */
export function onlyPhoto(photos: TaskPhoto[]): TaskPhoto {
  const [photo] = photos;
  if (photo === undefined) throw new Error("The task needs one photo, but it received none.");
  return photo;
}

type Progress = TaskContext<unknown>["progress"];

/** Maps the progress of a part, 0 to 1, to the range `from` to `to` of the whole. */
export function partOfProgress(progress: Progress, from: number, to: number): Progress {
  return (fraction, message) => progress(from + (to - from) * fraction, message);
}
