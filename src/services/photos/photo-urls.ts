import type { FileUrls } from "../../photos/file-urls.js";
import type { Photo } from "./photos.js";

/** Returns the signed URL of a photo's bytes. */
export function photoUrl(
  fileUrls: FileUrls,
  { id, filename, storageKey, mimeType }: Photo,
  expiresAt?: Date,
): Promise<string> {
  return fileUrls.urlOf({ kind: "photos", id, name: filename, storageKey, mimeType }, expiresAt);
}

/** Returns the signed URL of a photo's preview; null when it has none. */
export async function previewUrl(
  fileUrls: FileUrls,
  { id, previewKey: storageKey }: Photo,
  expiresAt?: Date,
): Promise<string | null> {
  if (storageKey === null) return null;
  const file = { kind: "previews", id, name: "preview.webp", storageKey } as const;
  return fileUrls.urlOf({ ...file, mimeType: "image/webp" }, expiresAt);
}
