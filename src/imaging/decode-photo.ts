import { readFile } from "node:fs/promises";
import { PhotoTooLargeError, PhotoUnreadableError } from "../errors.js";
import type { PhotoHeader } from "./photo-header.js";
import { readPhotoHeader } from "./photo-header.js";
import { maxPixelsOf } from "./photo-limits.js";
import type { Pixels } from "./pixels.js";
import { toPixels } from "./raw-pixels.js";
import { sharp } from "./sharp.js";

export interface DecodedPhoto {
  header: PhotoHeader;
  pixels: Pixels;
  /** For the result's `warnings`: what the caller should know of how the picture was read. */
  warnings: string[];
}

export interface DecodeOptions {
  maxPixels: number;
  /** The picture is scaled down to lie within; never up. Both absent: as it is. */
  width?: number;
  height?: number;
}

/**
 * Reads a photo once, upright and in sRGB; of an animation or a TIFF of many pages the first. Whoever needs several sizes
 * asks for the largest and shrinks it. Throws PhotoUnreadableError and PhotoTooLargeError.
 */
export async function decodePhoto(path: string, options: DecodeOptions): Promise<DecodedPhoto> {
  const header = await readPhotoHeader(path, options);
  const warnings = header.pages > 1 ? [firstOf(header)] : [];
  try {
    return { header, pixels: await decode(path, header, options), warnings };
  } catch (error) {
    if (!lacksEnd(header, error)) throw explain(error);
  }
  // The picture may be whole and only lack its last two bytes. If it is really cut, the decoder says so once more.
  const completed = Buffer.concat([await readFile(path), END_OF_IMAGE]);
  const pixels = await decode(completed, header, options).catch((error: unknown) => Promise.reject(explain(error)));
  return { header, pixels, warnings: [...warnings, "repaired: end marker missing"] };
}

const END_OF_IMAGE = Buffer.from([0xff, 0xd9]);

function decode(input: string | Buffer, { format }: PhotoHeader, { maxPixels, width, height }: DecodeOptions): Promise<Pixels> {
  const pipeline = sharp(input, { failOn: "warning", limitInputPixels: maxPixelsOf(format, maxPixels) }).autoOrient();
  const size = { ...(width !== undefined && { width }), ...(height !== undefined && { height }) };
  return toPixels(pipeline.resize({ ...size, fit: "inside", withoutEnlargement: true }));
}

function firstOf({ format }: PhotoHeader): string {
  return format === "tiff" ? "first page of a document" : "first frame of an animation";
}

function lacksEnd({ format }: PhotoHeader, error: unknown): boolean {
  return format === "jpeg" && /premature end of JPEG image/.test(String(error));
}

const TAKES_MEMORY = "Decoding the photo takes more memory than a task may use. Scale it down and upload it again.";
const DAMAGED = "The photo is damaged or cut off: its header is fine, but the picture cannot be decoded. Upload the original file again.";

/** Of the decoder's texts only those about memory and a missing file can be told from damage. */
function explain(cause: unknown): Error {
  const said = String(cause);
  if (/input file is missing/i.test(said)) return new Error("The photo's file is not there.", { cause });
  return Object.assign(/memory|allocat/i.test(said) ? new PhotoTooLargeError(TAKES_MEMORY) : new PhotoUnreadableError(DAMAGED), { cause });
}
