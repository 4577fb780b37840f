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

// Plain data without the image library, so that a task's definition can name the formats in the
// API's process.

/** What tasks write. */
export const OUTPUT_FORMATS = ["jpeg", "webp", "avif", "png"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export const OUTPUT_FILES: Record<OutputFormat, { extension: string; mimeType: string }> = {
  jpeg: { extension: "jpg", mimeType: "image/jpeg" },
  webp: { extension: "webp", mimeType: "image/webp" },
  avif: { extension: "avif", mimeType: "image/avif" },
  png: { extension: "png", mimeType: "image/png" },
};

/** The photo's own format where tasks write it, else JPEG. */
export function outputFormatOf(photoFormat: string): OutputFormat {
  return OUTPUT_FORMATS.find((format) => format === photoFormat) ?? "jpeg";
}
