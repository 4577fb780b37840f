import type { TaskContext, NearPhotoList, TaskPhoto } from "../define-task.js";
import { readPreview } from "../photo-work.js";
import type { HashParameters } from "./task.js";
import type { DecodedPhoto } from "../../imaging/pixels/decode-photo.js";
import { perceptualHashOf } from "../../imaging/fingerprints/perceptual-hash.js";

export async function run(context: TaskContext<HashParameters>) {
  const { photo, ...preview } = await readPreview(context);
  context.progress(0.5, "looking for duplicates");
  const result = await hashOf(context, photo, preview);
  context.progress(1, "done");
  return result;
}

type Context = Pick<TaskContext<HashParameters>, "parameters" | "findNearPhotos">;

/**
 * Computes the hashes from a preview of the photo. A flat picture has no perceptual hash, and so no
 * duplicates.
 */
export async function hashOf(
  { parameters, findNearPhotos }: Context,
  { sha256, phash: storedPhash }: TaskPhoto,
  { pixels, warnings }: DecodedPhoto,
) {
  // The stored hash is preferred, because a preview of another size may differ in a bit.
  const phash = storedPhash ?? (await perceptualHashOf(pixels));
  const near: NearPhotoList =
    phash === null
      ? { photos: [], cut: false }
      : await findNearPhotos({ phash, maxDistance: parameters.maxDistance });
  const all = near.cut
    ? [...warnings, `only the nearest ${near.photos.length} duplicates are listed; there are more`]
    : warnings;
  return { sha256, phash, duplicates: near.photos, ...(all.length > 0 && { warnings: all }) };
}
