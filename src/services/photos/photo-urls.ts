import type { FileUrls } from "../../photos/file-urls.js";
import type { Photo } from "./photos.js";

/** Returns the signed URL of a photo's bytes. */
export function photoUrl(
  fileUrls: FileUrls,
  { id, filename, storageKey, mimeType }: Photo,
): Promise<string> {
  return fileUrls.urlOf({ kind: "photos", id, name: filename, storageKey, mimeType });
}

/** Returns the signed URL of a photo's preview; null when it has none. */
export async function previewUrl(
  fileUrls: FileUrls,
  { id, previewKey }: Photo,
): Promise<string | null> {
  return previewKey === null
    ? null
    : fileUrls.urlOf({
        kind: "previews",
        id,
        name: "preview.webp",
        storageKey: previewKey,
        mimeType: "image/webp",
      });
}
