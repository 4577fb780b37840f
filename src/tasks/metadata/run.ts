import { readPhotoHeader } from "../../imaging/formats/photo-header.js";
import { DEFAULT_MAX_PIXELS } from "../../imaging/formats/photo-limits.js";
import type { TaskContext } from "../define-task.js";
import { onlyPhoto } from "../photo-work.js";
import { metadataOf } from "./metadata-of.js";
import type { MetadataParameters } from "./task.js";

export async function run(context: TaskContext<MetadataParameters>) {
  const { photos, signal, progress, maxPixels = DEFAULT_MAX_PIXELS } = context;
  const { path } = onlyPhoto(photos);
  progress(0, "reading the header");
  const header = await readPhotoHeader(path, { maxPixels });
  signal.throwIfAborted();
  progress(0.3, "reading the tags");
  const result = await metadataOf(path, header, context.parameters);
  progress(1, "done");
  return result;
}
