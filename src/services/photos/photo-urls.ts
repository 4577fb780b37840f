import type { FileUrls } from "../../photos/file-urls.js";
import type { Photo } from "./photos.js";
import { renditionAt, renditionsUpTo, type Rendition } from "./rendition-ladder.js";

type Format = Rendition["format"];
type PhotoFile = Pick<Photo, "id" | "filename" | "storageKey" | "mimeType">;

/** Returns the signed URL of a photo's bytes. */
export function photoUrl(
  fileUrls: FileUrls,
  { id, filename, storageKey, mimeType }: PhotoFile,
  expiresAt?: Date,
): Promise<string> {
  return fileUrls.urlOf({ kind: "photos", id, name: filename, storageKey, mimeType }, expiresAt);
}

/** Returns the signed URL of a photo's preview; null when it has none. */
export async function previewUrl(
  fileUrls: FileUrls,
  { id, previewKey: storageKey }: Pick<Photo, "id" | "previewKey">,
  expiresAt?: Date,
): Promise<string | null> {
  if (storageKey === null) return null;
  const file = { kind: "previews", id, name: "preview.webp", storageKey } as const;
  return fileUrls.urlOf({ ...file, mimeType: "image/webp" }, expiresAt);
}

/** Returns the signed URL of the rendition of at least this width, or of the widest one. */
export function imageUrl(
  fileUrls: FileUrls,
  photo: Photo,
  { width, format }: { width: number; format: Format },
): string {
  return fileUrls.sign("images", photo.id, renditionAt(photo, format, width).name);
}

/** Returns the value of an attribute `srcset`. */
export function imageSrcset(
  fileUrls: FileUrls,
  photo: Photo,
  { maxWidth, format }: { maxWidth: number; format: Format },
): string {
  return renditionsUpTo(photo, format, maxWidth)
    .map(({ name, width }) => `${fileUrls.sign("images", photo.id, name)} ${width}w`)
    .join(", ");
}
