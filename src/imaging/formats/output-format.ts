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
