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

/** From a preview of the photo. A flat picture has no perceptual hash, and so no duplicates. */
export async function hashOf(
  { parameters, findNearPhotos }: Context,
  { sha256, phash: known }: TaskPhoto,
  { pixels, warnings }: DecodedPhoto,
) {
  // The one that it is found by itself, where it has one: a preview of another size may differ in a
  // bit.
  const phash = known ?? (await perceptualHashOf(pixels));
  const near: NearPhotoList =
    phash === null
      ? { photos: [], cut: false }
      : await findNearPhotos({ phash, maxDistance: parameters.maxDistance });
  const all = near.cut
    ? [
        ...warnings,
        `there are more duplicates than the nearest ${near.photos.length}, which are listed`,
      ]
    : warnings;
  return { sha256, phash, duplicates: near.photos, ...(all.length > 0 && { warnings: all }) };
}
