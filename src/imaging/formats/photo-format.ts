/** What a photo may be stored as. */
export type PhotoFormat = "jpeg" | "png" | "webp" | "gif" | "tiff" | "avif" | "heic";

export const PHOTO_FORMATS: Record<PhotoFormat, { title: string; mimeType: string }> = {
  jpeg: { title: "JPEG", mimeType: "image/jpeg" },
  png: { title: "PNG", mimeType: "image/png" },
  webp: { title: "WebP", mimeType: "image/webp" },
  gif: { title: "GIF", mimeType: "image/gif" },
  tiff: { title: "TIFF", mimeType: "image/tiff" },
  avif: { title: "AVIF", mimeType: "image/avif" },
  heic: { title: "HEIC", mimeType: "image/heic" },
};

/** For sentences: "JPEG, PNG, … or HEIC". */
export function acceptedFormats({ acceptHeic }: { acceptHeic: boolean }): string {
  const titles = Object.values(PHOTO_FORMATS)
    .map(({ title }) => title)
    .filter((title) => acceptHeic || title !== "HEIC");
  return `${titles.slice(0, -1).join(", ")} or ${titles.at(-1)}`;
}
