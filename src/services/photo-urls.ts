import type { FileUrls } from "../photos/file-urls.js";
import type { Photo } from "./photos.js";

/** The signed URLs of a photo and of its preview. */
export function photoUrls(fileUrls: FileUrls, photo: Photo): { url: string; previewUrl: string | null } {
  return {
    url: fileUrls.sign("photos", photo.id, photo.filename),
    previewUrl: photo.previewKey === null ? null : fileUrls.sign("previews", photo.id, "preview.webp"),
  };
}
