import { v7 as uuidv7 } from "uuid";
import { isAboutPhoto, ServiceUnavailableError } from "../../domain/errors.js";
import type { PhotoProbe } from "../../imaging/inspect/photo-child-request.js";
import type { PhotoInspector } from "../../imaging/inspect/photo-inspector.js";
import type { Storage } from "../../photos/storage.js";
import { failpoint } from "../../runtime/failpoint.js";
import type { Logger } from "../../runtime/logger.js";
import { METADATA_TRIES } from "../../db/schema/photos.js";
import {
  factColumns,
  signedHash,
  storageKeysOf,
  type NewPhoto,
  type Photo,
  type Photos,
} from "./photos.js";
import { damageOf, PREVIEW_ATTEMPTS, reportNotMade } from "./preview-maker.js";

export interface AddedPhoto {
  photo: Photo;
  /** False when the user already had a photo with these bytes. */
  created: boolean;
}

export interface AddPhotoDeps {
  photos: Photos;
  storage: Storage;
  inspector: PhotoInspector;
}

/** The bytes of a photo, as a local file. */
interface PhotoBytes {
  path: string;
  /** Path of a file that does not exist yet, for the preview; the caller removes it. */
  previewPath: string;
  /** Stores the bytes under this key. */
  place(storageKey: string): Promise<void>;
  log: Logger;
}

type Description = Pick<NewPhoto, "userId" | "filename" | "sha256" | "byteSize"> & {
  header: PhotoProbe;
  madeBy: string | null;
};

/** Maximum time for the preview; after that, the worker makes it. */
const PREVIEW_MS = 5000;

/** Makes the preview, stores both files and then the row. A failure leaves nothing behind. */
export async function addPhoto(
  deps: AddPhotoDeps,
  { header, ...description }: Description,
  bytes: PhotoBytes,
): Promise<AddedPhoto> {
  const { preview, ...outcome } = await makePreview(deps.inspector, bytes);
  const id = uuidv7();
  const { userId } = description;
  const row = {
    id,
    ...description,
    mimeType: header.mimeType,
    width: header.width,
    height: header.height,
    storageKey: `photos/${userId}/${id}`,
    previewKey: preview ? `previews/${userId}/${id}` : null,
    ...(preview ?? { thumbhash: null, phash: null }),
    ...outcome,
    ...(header.facts ? factColumns(header.facts) : { metadataTries: METADATA_TRIES }),
  };
  return store(deps, row, bytes);
}

/**
 * Returns a null preview when none can be made now. A photo with a broken image is accepted all the
 * same, and its jobs report the fault.
 */
async function makePreview(
  inspector: PhotoInspector,
  { path, previewPath, log }: PhotoBytes,
): Promise<{
  preview: { thumbhash: string; phash: bigint | null } | null;
  previewAttempts: number;
  damaged: string | null;
}> {
  try {
    const { thumbhash, phash } = await inspector.preview(path, previewPath, {
      signal: AbortSignal.timeout(PREVIEW_MS),
    });
    const preview = { thumbhash, phash: signedHash(phash) };
    return { preview, previewAttempts: 0, damaged: null };
  } catch (error) {
    reportNotMade(log, error, {});
    if (!isAboutPhoto(error)) return { preview: null, previewAttempts: 0, damaged: null };
    return { preview: null, previewAttempts: PREVIEW_ATTEMPTS, damaged: damageOf(error) };
  }
}

/** Stores the bytes before the row, so that a crash in between leaves only bytes without a row. */
async function store(
  { photos, storage }: AddPhotoDeps,
  photo: NewPhoto,
  { previewPath, place, log }: PhotoBytes,
): Promise<AddedPhoto> {
  const discard = () =>
    storage
      .delete(storageKeysOf(photo))
      .catch((error) =>
        log.warn(
          { err: error, photoId: photo.id },
          "files of a refused photo were not deleted; the file sweep removes them",
        ),
      );
  let recording = false;
  try {
    await place(photo.storageKey);
    if (photo.previewKey !== null) await storage.put(photo.previewKey, previewPath);
    await failpoint("upload: before the row");
    for (let tries = 0; tries < 2; tries++) {
      recording = true;
      const added = await photos.add(photo);
      if (added) return { photo: added, created: true };
      recording = false;
      const twin = await photos.findBySha256(photo.userId, photo.sha256);
      if (twin) {
        await discard();
        return { photo: twin, created: false };
      }
      // The twin was deleted in between, so the loop tries again with the same bytes.
    }
    throw new ServiceUnavailableError(
      "The same bytes are being uploaded and deleted at the same time; try again.",
    );
  } catch (error) {
    // When only the answer was lost, the row may exist, and then its bytes must stay.
    if (!recording || !(error instanceof ServiceUnavailableError)) await discard();
    throw error;
  }
}
