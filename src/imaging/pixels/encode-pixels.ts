import type { Sharp } from "sharp";
import { crc32 } from "node:zlib";
import { PhotoTooLargeError } from "../../domain/errors.js";
import { lacksMemory } from "../../child-pool/exit-reason.js";
import type { OutputFormat } from "../formats/photo-format.js";
import { fromPixels, type Pixels } from "./pixels.js";

/**
 * Quality from 1 to 100 for a picture that replaces the photo and need not be smaller. AVIF has
 * another scale: its 65 looks like JPEG's 90.
 */
export const FAITHFUL_QUALITY = {
  jpeg: 90,
  webp: 90,
  avif: 65,
  png: 100,
} as const satisfies Record<OutputFormat, number>;

/**
 * Quality from 1 to 100 when the caller gives none. AVIF has another scale: its 50 looks like
 * JPEG's 80. PNG is lossless.
 */
const DEFAULT_QUALITY = { jpeg: 80, webp: 80, avif: 50, png: 100 } as const satisfies Record<
  OutputFormat,
  number
>;

/**
 * Effort from 0 to 9. With 2, the thumbnails of a 12-megapixel photo take 0.7 s; above 4, one
 * picture takes many seconds.
 */
const AVIF_EFFORT = 2;

/**
 * Effort from 0 to 6. From 3 on, the encoder keeps everything it has coded in memory, and 100 noisy
 * megapixels exceed a child's limit. Below 3, a photo takes 1 to 3 % more bytes.
 */
const WEBP_EFFORT = 4;
const WEBP_EFFORT_LARGE = 2;
const LARGE_PIXELS = 40_000_000;

/** Maximum pixels per side that the format allows. */
export const MAX_WEBP_SIDE = 16_383;

interface EncodeExtras {
  /** Keeps every pixel exactly. Only for WebP and AVIF: PNG is always lossless, JPEG never. */
  lossless?: boolean;
  /** A block from `writeExifBlock` for the file. */
  exif?: Buffer | null;
}

/**
 * Encodes a file in sRGB, without metadata unless `exif` is given. JPEG has no transparency:
 * transparent parts become white. Throws PhotoTooLargeError.
 */
export async function encodePixels(
  pixels: Pixels,
  format: OutputFormat,
  quality: number = DEFAULT_QUALITY[format],
  extras: EncodeExtras = {},
): Promise<Buffer> {
  if (format === "webp" && Math.max(pixels.width, pixels.height) > MAX_WEBP_SIDE) {
    const size = `${pixels.width} × ${pixels.height}`;
    const advice = "Choose JPEG, PNG or AVIF, or a smaller size.";
    throw new PhotoTooLargeError(
      `WebP allows at most ${MAX_WEBP_SIDE} pixels per side, and this picture has ${size}. ` +
        advice,
    );
  }
  const { lossless = false, exif = null } = extras;
  const pipeline = encode(pixels, format, quality, lossless);
  try {
    return await (exif === null ? pipeline.toBuffer() : encodeWithExif(pipeline, exif));
  } catch (error) {
    throw lacksMemory(error)
      ? new PhotoTooLargeError(takesMemory(format), { cause: error })
      : error;
  }
}

function takesMemory(format: OutputFormat): string {
  return (
    `Encoding a picture of this size as ${format.toUpperCase()} takes more memory than a ` +
    "task may use. Choose another format or a smaller size."
  );
}

function encode(pixels: Pixels, format: OutputFormat, quality: number, lossless: boolean): Sharp {
  const pipeline = fromPixels(pixels);
  switch (format) {
    case "jpeg":
      return pipeline.flatten({ background: "#ffffff" }).jpeg({ quality });
    case "webp":
      return pipeline.webp({
        quality,
        lossless,
        effort: pixels.width * pixels.height > LARGE_PIXELS ? WEBP_EFFORT_LARGE : WEBP_EFFORT,
      });
    case "avif":
      return pipeline.avif({ quality, effort: AVIF_EFFORT, lossless });
    case "png":
      return pipeline.png();
  }
}

/**
 * Encodes with a metadata block from `writeExifBlock`. The library can only write blocks that it
 * builds itself. So it writes a text that is as long as our block, which is then overwritten. This
 * works for all formats, including AVIF.
 */
export async function encodeWithExif(pipeline: Sharp, exif: Buffer): Promise<Buffer> {
  const placeholder = "x".repeat(exif.length);
  const file = await pipeline.withExif({ IFD0: { Copyright: placeholder } }).toBuffer();
  const text = file.indexOf(placeholder);
  const start = Math.max(
    file.lastIndexOf("II\x2a\0", text, "latin1"),
    file.lastIndexOf("MM\0\x2a", text, "latin1"),
  );
  if (text === -1 || start === -1)
    throw new Error("The image library wrote no metadata block that could be replaced.");
  file.fill(0, start, text + exif.length);
  exif.copy(file, start);
  if (file.toString("latin1", 1, 4) === "PNG") updateChecksum(file, start);
  return file;
}

/** A PNG chunk consists of its length, its type, its data and a checksum of type and data. */
function updateChecksum(file: Buffer, data: number): void {
  const end = data + file.readUInt32BE(data - 8);
  file.writeUInt32BE(crc32(file.subarray(data - 4, end)), end);
}
