import { open, readFile } from "node:fs/promises";
import { PhotoUnreadableError } from "../../domain/errors.js";
import { heifCoding } from "./heif.js";
import { PHOTO_FORMATS, type PhotoFormat, checkPhotoLimits } from "./photo-format.js";
import { sharp } from "../pixels/pixels.js";
import { HEIC_NOT_ACCEPTED, SNIFFED_BYTES, sniffFormat } from "./sniff-format.js";

/** What a file's header says. */
export interface PhotoHeader {
  format: PhotoFormat;
  mimeType: string;
  /** Of the upright picture. */
  width: number;
  height: number;
  /**
   * Frames of an animation, pages of a TIFF; 1 for all else. Only the first is ever decoded, of
   * AVIF and HEIC the primary one.
   */
  pages: number;
  /**
   * How the stored pixels lie, 1 to 8 as in EXIF. Of AVIF and HEIC always 1: the container turns
   * the picture itself.
   */
  orientation: number;
}

export interface HeaderOptions {
  /** Half of it for AVIF and HEIC. */
  maxPixels: number;
  /** True when absent. */
  acceptHeic?: boolean | undefined;
}

/**
 * Reads the header, decodes nothing: about a millisecond. Throws PhotoUnreadableError when it is no
 * photo or its header cannot be read, PhotoTooLargeError over a limit, a plain error when the file
 * is not there.
 */
export async function readPhotoHeader(
  path: string,
  { maxPixels, acceptHeic }: HeaderOptions,
): Promise<PhotoHeader> {
  const claimed = sniffFormat(await readHead(path), { acceptHeic });
  // Without sharp's own limit, whose refusal would come without the numbers; what it only warns of
  // is for the decoder to judge.
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
 * The brand may promise one and the pictures be coded as the other; the image library, too, goes by
 * the brand alone.
 */
async function codedFormat(path: string, claimed: PhotoFormat): Promise<PhotoFormat> {
  const coding = heifCoding(await readFile(path));
  if (coding === "av1") return "avif";
  return coding === "hevc" ? "heic" : unreadable(claimed, "coded in another way, or not at all");
}

function unreadable(format: PhotoFormat, cause: unknown): never {
  const { title } = PHOTO_FORMATS[format];
  const sentence =
    `The header of this ${title} file cannot be read: it is damaged or cut off. Upload the ` +
    "original file again.";
  throw new PhotoUnreadableError(sentence, { cause });
}
