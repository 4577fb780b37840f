import { readFile } from "node:fs/promises";
import type { SharpOptions } from "sharp";
import { PhotoTooLargeError, PhotoUnreadableError } from "../../domain/errors.js";
import { decodeHeic } from "./decode-heic.js";
import { heifIsWhole } from "../formats/heif.js";
import { iccProfileIsSound } from "../metadata/icc-profile-is-sound.js";
import { lacksMemory } from "../../child-pool/exit-reason.js";
import { readPhotoHeader, type HeaderOptions, type PhotoHeader } from "../formats/photo-header.js";
import { maxPixelsOf } from "../formats/photo-format.js";
import { type Pixels, toPixels, sharp } from "./pixels.js";

export interface DecodedPhoto {
  header: PhotoHeader;
  pixels: Pixels;
  /** Warnings for the result: problems of the file, and parts of it that were not read. */
  warnings: string[];
}

export interface DecodeOptions extends HeaderOptions {
  /**
   * Maximum width and height. The picture is scaled down to fit, never up; unchanged when both are
   * absent.
   */
  width?: number;
  height?: number;
}

/**
 * Decodes a photo, upright and in sRGB; only the first frame or page. To get several sizes, decode
 * the largest once and shrink it. Throws PhotoUnreadableError and PhotoTooLargeError.
 */
export async function decodePhoto(path: string, options: DecodeOptions): Promise<DecodedPhoto> {
  const header = await readPhotoHeader(path, options);
  try {
    const { iccProfile, brokenProfile } = await readProfile(path);
    const { pixels, repair } = await decodeAsItIs({ path, header, iccProfile, options });
    const warnings = [
      header.pages > 1 && firstOf(header),
      brokenProfile && "ignored: the colour profile is broken",
      repair,
    ];
    return { header, pixels, warnings: warnings.filter((warning) => typeof warning === "string") };
  } catch (error) {
    throw explain(error);
  }
}

interface Work {
  path: string;
  header: PhotoHeader;
  iccProfile: Buffer | null;
  options: DecodeOptions;
}

async function readProfile(
  path: string,
): Promise<{ iccProfile: Buffer | null; brokenProfile: boolean }> {
  const { icc } = await sharp(path, { limitInputPixels: false, failOn: "truncated" }).metadata();
  if (icc === undefined) return { iccProfile: null, brokenProfile: false };
  return iccProfileIsSound(icc)
    ? { iccProfile: icc, brokenProfile: false }
    : { iccProfile: null, brokenProfile: true };
}

interface Attempt {
  pixels: Pixels;
  /** A description of the damage; null for an intact file. */
  repair: string | null;
}

async function decodeAsItIs({ path, header, iccProfile, options }: Work): Promise<Attempt> {
  const decode = (input: string | Buffer, failOn: SharpOptions["failOn"]) =>
    decodeWith(input, header, { ...options, failOn });
  if (header.format === "heic")
    return {
      pixels: await decode(await decodeHeic(await readWhole(path), iccProfile), "warning"),
      repair: null,
    };
  if (header.format === "avif") await readWhole(path);
  // The library's warnings about a TIFF mostly concern tags that it does not know.
  if (header.format === "tiff") return { pixels: await decode(path, "error"), repair: null };
  try {
    return { pixels: await decode(path, "warning"), repair: null };
  } catch (error) {
    if (lacksMemory(error)) throw error;
    // The picture may be complete and only lack its last two bytes. If it is really cut, the second
    // decode fails too.
    if (lacksEnd(header, error))
      return {
        pixels: await decode(Buffer.concat([await readFile(path), END_OF_IMAGE]), "warning"),
        repair: "repaired: end marker missing",
      };
    return {
      pixels: await decode(path, "truncated"),
      repair: "damaged: parts of the picture may be wrong",
    };
  }
}

const END_OF_IMAGE = Buffer.from([0xff, 0xd9]);

function decodeWith(
  input: string | Buffer,
  { format }: PhotoHeader,
  { maxPixels, width, height, failOn = "warning" }: DecodeOptions & Pick<SharpOptions, "failOn">,
): Promise<Pixels> {
  const pipeline = sharp(input, {
    failOn,
    limitInputPixels: maxPixelsOf(format, maxPixels),
  }).autoOrient();
  const size = { ...(width !== undefined && { width }), ...(height !== undefined && { height }) };
  return toPixels(pipeline.resize({ ...size, fit: "inside", withoutEnlargement: true }));
}

async function readWhole(path: string): Promise<Buffer> {
  const file = await readFile(path);
  if (!heifIsWhole(file)) throw new Error("The file ends before the end of its pictures.");
  return file;
}

function firstOf({ format }: PhotoHeader): string {
  return format === "tiff" ? "first page of a document" : "first frame of an animation";
}

function lacksEnd({ format }: PhotoHeader, error: unknown): boolean {
  return format === "jpeg" && /premature end of JPEG image/.test(String(error));
}

const TAKES_MEMORY =
  "Decoding the photo takes more memory than a task may use. Scale it down and upload it again.";
const DAMAGED =
  "The photo is damaged or cut off: its header is fine, but the picture cannot be " +
  "decoded. Upload the original file again.";

/** The decoder's messages only distinguish lack of memory and a missing file from damage. */
function explain(cause: unknown): Error {
  if (/input file is missing|ENOENT/i.test(String(cause)))
    return new Error("The photo's file is missing.", { cause });
  return lacksMemory(cause)
    ? new PhotoTooLargeError(TAKES_MEMORY, { cause })
    : new PhotoUnreadableError(DAMAGED, { cause });
}

/** Maximum pixels of the longer side of a preview. */
export const PREVIEW_SIDE = 512;

/**
 * The small picture on which placeholder, hash and similar tasks work. It takes 31 ms for 12
 * megapixels instead of 100 ms for all pixels.
 */
export function decodePreview(
  path: string,
  { maxPixels }: { maxPixels: number },
): Promise<DecodedPhoto> {
  return decodePhoto(path, { maxPixels, width: PREVIEW_SIDE, height: PREVIEW_SIDE });
}
