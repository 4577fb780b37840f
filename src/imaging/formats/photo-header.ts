import { open, readFile } from "node:fs/promises";
import { PhotoUnreadableError } from "../../domain/errors.js";
import { heifCoding } from "./heif.js";
import { PHOTO_FORMATS, type PhotoFormat, checkPhotoLimits } from "./photo-format.js";
import { sharp } from "../pixels/pixels.js";
import { HEIC_NOT_ACCEPTED, SNIFFED_BYTES, sniffFormat } from "./sniff-format.js";

export interface PhotoHeader {
  format: PhotoFormat;
  mimeType: string;
  /** Width and height of the upright picture. */
  width: number;
  height: number;
  /**
   * Number of frames of an animation or pages of a TIFF; else 1. Only the first is ever decoded, in
   * AVIF and HEIC the primary one.
   */
  pages: number;
  /**
   * EXIF orientation of the stored pixels, 1 to 8. Always 1 for AVIF and HEIC, whose container
   * rotates the picture itself.
   */
  orientation: number;
}

export interface HeaderOptions {
  /** Maximum pixels of a photo; half of this for AVIF and HEIC. */
  maxPixels: number;
  /** Default: true. */
  acceptHeic?: boolean | undefined;
}

/**
 * Reads the header without decoding, which takes about a millisecond. Throws PhotoUnreadableError
 * when the file is not a photo or its header is damaged, PhotoTooLargeError above a limit, and a
 * plain error when the file is missing.
 */
export async function readPhotoHeader(
  path: string,
  { maxPixels, acceptHeic }: HeaderOptions,
): Promise<PhotoHeader> {
  const claimed = sniffFormat(await readHead(path), { acceptHeic });
  // sharp's own limit is off, because its error does not name the numbers. Problems that are only
  // warnings are left to the decoder.
  const metadata = await sharp(path, { limitInputPixels: false, failOn: "truncated" })
    .metadata()
    .catch((error: unknown) => unreadable(claimed, error));
  const isHeif = metadata.format === "heif";
  const format = isHeif ? await codedFormat(path, claimed) : claimed;
  if (!isHeif && metadata.format !== claimed) return unreadable(claimed, metadata.format);
  if (format === "heic" && acceptHeic === false) throw new PhotoUnreadableError(HEIC_NOT_ACCEPTED);
  const { width, height } = metadata.autoOrient;
  const pages = metadata.pages ?? 1;
  checkPhotoLimits({ format, width, height, pages }, maxPixels);
  return {
    format,
    mimeType: PHOTO_FORMATS[format].mimeType,
    width,
    height,
    pages: isHeif ? 1 : pages,
    orientation: isHeif ? 1 : (metadata.orientation ?? 1),
  };
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

/**
 * The brand may name another codec than the pictures have, and the image library trusts the brand.
 */
async function codedFormat(path: string, claimed: PhotoFormat): Promise<PhotoFormat> {
  const coding = heifCoding(await readFile(path));
  if (coding === "av1") return "avif";
  return coding === "hevc"
    ? "heic"
    : unreadable(claimed, "the pictures use another codec, or none");
}

function unreadable(format: PhotoFormat, cause: unknown): never {
  const { title } = PHOTO_FORMATS[format];
  const sentence =
    `The header of this ${title} file cannot be read: it is damaged or cut off. Upload the ` +
    "original file again.";
  throw new PhotoUnreadableError(sentence, { cause });
}
