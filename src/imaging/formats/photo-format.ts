import { PhotoTooLargeError } from "../../domain/errors.js";

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

/** 100 megapixels. */
export const DEFAULT_MAX_PIXELS = 100_000_000;
const MAX_PAGES = 1000;
/** libvips counts in places with 16 bits, and WebP and most browsers end earlier. */
const MAX_SIDE = 32_767;

/**
 * Pixels that a photo of this format may have. Decoding AVIF or HEIC takes up to 18 bytes a pixel,
 * against 3 to 8 for others.
 */
export function maxPixelsOf(format: PhotoFormat, maxPixels: number): number {
  return format === "avif" || format === "heic" ? Math.floor(maxPixels / 2) : maxPixels;
}

/**
 * Throws PhotoTooLargeError with a sentence that names the limit. Sizes come from the header,
 * before any decode.
 */
export function checkPhotoLimits(
  photo: { format: PhotoFormat; width: number; height: number; pages: number },
  maxPixels: number,
): void {
  const { width, height, pages } = photo;
  const most = maxPixelsOf(photo.format, maxPixels);
  const size = `${width} × ${height}`;
  if (Math.max(width, height) > MAX_SIDE) {
    throw new PhotoTooLargeError(
      `The photo measures ${size} pixels; a side may have ${MAX_SIDE} at most. Scale it ` +
        "down and upload it again.",
    );
  }
  if (width * height > most) {
    const counted = `${megapixels(width * height)} megapixels (${size})`;
    throw new PhotoTooLargeError(
      `The photo has ${counted}; at most ${megapixels(most)} are accepted. Scale it down ` +
        "and upload it again.",
    );
  }
  if (pages > MAX_PAGES) {
    throw new PhotoTooLargeError(
      `The file has ${pages} pages or frames; at most ${MAX_PAGES} are accepted.`,
    );
  }
}

function megapixels(pixels: number): string {
  return String(Math.round(pixels / 10_000) / 100);
}
