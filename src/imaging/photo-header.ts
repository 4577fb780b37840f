import { open } from "node:fs/promises";
import { PhotoUnreadableError } from "../errors.js";
import type { PhotoFormat } from "./photo-format.js";
import { PHOTO_FORMATS } from "./photo-format.js";
import { checkPhotoLimits } from "./photo-limits.js";
import { sharp } from "./sharp.js";
import { SNIFFED_BYTES, sniffFormat } from "./sniff-format.js";

/** What a file's header says. */
export interface PhotoHeader {
  format: PhotoFormat;
  mimeType: string;
  /** Of the upright picture. */
  width: number;
  height: number;
  /** Frames of an animation, pages of a TIFF; 1 for all else. Only the first is ever decoded. */
  pages: number;
  /** How the stored pixels lie, 1 to 8 as in EXIF. Of AVIF always 1: the container turns the picture itself. */
  orientation: number;
}

/**
 * Reads the header, decodes nothing: about a millisecond. Throws PhotoUnreadableError when it is no photo or its header
 * cannot be read, PhotoTooLargeError over a limit, a plain error when the file is not there.
 */
export async function readPhotoHeader(path: string, { maxPixels }: { maxPixels: number }): Promise<PhotoHeader> {
  const claimed = sniffFormat(await readHead(path));
  // Without sharp's own limit, whose refusal would come without the numbers.
  const metadata = await sharp(path, { limitInputPixels: false }).metadata().catch((error: unknown) => unreadable(claimed, error));
  const format = metadata.format === "heif" ? codingOf(metadata.compression) : claimed;
  if (metadata.format !== "heif" && metadata.format !== claimed) return unreadable(claimed, metadata.format);
  const { width, height } = metadata.autoOrient;
  const pages = metadata.pages ?? 1;
  const header = { format, mimeType: PHOTO_FORMATS[format].mimeType, width, height, pages, orientation: metadata.orientation ?? 1 };
  checkPhotoLimits(header, maxPixels);
  return header;
}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The brand may promise one and the pictures be coded as the other: what counts is the coding. */
function codingOf(compression: string | undefined): PhotoFormat {
  if (compression === "av1") return "avif";
  throw new PhotoUnreadableError("This is a HEIC photo, which is not accepted yet. Upload it as JPEG.");
}

function unreadable(format: PhotoFormat, cause: unknown): never {
  const { title } = PHOTO_FORMATS[format];
  const sentence = `The header of this ${title} file cannot be read: it is damaged or cut off. Upload the original file again.`;
  throw Object.assign(new PhotoUnreadableError(sentence), { cause });
}
