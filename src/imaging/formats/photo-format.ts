import { PhotoTooLargeError } from "../../domain/errors.js";

/** The formats in which a photo may be uploaded. */
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

/** A list for messages: "JPEG, PNG, … or HEIC". */
export function acceptedFormats({ acceptHeic }: { acceptHeic: boolean }): string {
  const titles = Object.values(PHOTO_FORMATS)
    .map(({ title }) => title)
    .filter((title) => acceptHeic || title !== "HEIC");
  return `${titles.slice(0, -1).join(", ")} or ${titles.at(-1)}`;
}

// This file does not import the image library, so that the API process can load task definitions.

/** The formats in which tasks write their outputs. */
export const OUTPUT_FORMATS = ["jpeg", "webp", "avif", "png"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export const OUTPUT_FILES: Record<OutputFormat, { extension: string; mimeType: string }> = {
  jpeg: { extension: "jpg", mimeType: "image/jpeg" },
  webp: { extension: "webp", mimeType: "image/webp" },
  avif: { extension: "avif", mimeType: "image/avif" },
  png: { extension: "png", mimeType: "image/png" },
};

/** The photo's format if tasks can write it, else JPEG. */
export function outputFormatOf(photoFormat: string): OutputFormat {
  return OUTPUT_FORMATS.find((format) => format === photoFormat) ?? "jpeg";
}

/** 100 megapixels. */
export const DEFAULT_MAX_PIXELS = 100_000_000;
const MAX_PAGES = 1000;
/** libvips uses 16 bits in some places; WebP and most browsers have a lower limit. */
const MAX_SIDE = 32_767;

/**
 * Maximum pixels of a photo of this format. Decoding AVIF or HEIC takes up to 18 bytes per pixel,
 * other formats 3 to 8.
 */
export function maxPixelsOf(format: PhotoFormat, maxPixels: number): number {
  return format === "avif" || format === "heic" ? Math.floor(maxPixels / 2) : maxPixels;
}

/**
 * Throws PhotoTooLargeError with a message that names the limit. Sizes come from the header, before
 * anything is decoded.
 */
export function checkPhotoLimits(
  photo: { format: PhotoFormat; width: number; height: number; pages: number },
  maxPixels: number,
): void {
  const { width, height, pages } = photo;
  const limit = maxPixelsOf(photo.format, maxPixels);
  const size = `${width} × ${height}`;
  if (Math.max(width, height) > MAX_SIDE) {
    throw new PhotoTooLargeError(
      `The photo measures ${size} pixels; a side may have at most ${MAX_SIDE}. Scale it ` +
        "down and upload it again.",
    );
  }
  if (width * height > limit) {
    const counted = `${megapixels(width * height)} megapixels (${size})`;
    throw new PhotoTooLargeError(
      `The photo has ${counted}; at most ${megapixels(limit)} are accepted. Scale it down ` +
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
