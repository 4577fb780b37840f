import type { Sharp } from "sharp";
import { crc32 } from "node:zlib";
import { PhotoTooLargeError } from "../../domain/errors.js";
import { lacksMemory } from "../../child-pool/exit-reason.js";
import type { OutputFormat } from "../formats/photo-format.js";
import { fromPixels, type Pixels } from "./pixels.js";

/**
 * 1 to 100, for a picture that takes the photo's place and is not meant to be smaller. AVIF's scale
 * is another: its 65 looks like JPEG's 90.
 */
export const FAITHFUL_QUALITY = {
  jpeg: 90,
  webp: 90,
  avif: 65,
  png: 100,
} as const satisfies Record<OutputFormat, number>;

/**
 * 1 to 100 where the caller names none. AVIF's scale is another: its 50 looks like JPEG's 80. PNG
 * is lossless.
 */
const DEFAULT_QUALITY = { jpeg: 80, webp: 80, avif: 50, png: 100 } as const satisfies Record<
  OutputFormat,
  number
>;

/**
 * From 0 to 9. At 2 a 12-megapixel photo's thumbnails take 0.7 s; above 4 single pictures take many
 * seconds.
 */
const AVIF_EFFORT = 2;

/**
 * From 0 to 6. From 3 on the encoder keeps all that it has coded: 100 noisy megapixels do not fit
 * into a child then. Below, a photo takes 1 to 3 % more bytes.
 */
const WEBP_EFFORT = 4;
const WEBP_EFFORT_LARGE = 2;
const LARGE_PIXELS = 40_000_000;

/** The format's own end, in pixels. */
export const MAX_WEBP_SIDE = 16_383;

interface EncodeExtras {
  /** Every pixel as it is; WebP and AVIF. PNG always is, JPEG never. */
  lossless?: boolean;
  /** A block of `writeExifBlock` to be written into the file. */
  exif?: Buffer | null;
}

/**
 * A file in sRGB, without metadata unless given. JPEG knows no transparency: what was transparent
 * becomes white. Throws PhotoTooLargeError.
 */
export async function encodePixels(
  pixels: Pixels,
  format: OutputFormat,
  quality: number = DEFAULT_QUALITY[format],
  extras: EncodeExtras = {},
): Promise<Buffer> {
  if (format === "webp" && Math.max(pixels.width, pixels.height) > MAX_WEBP_SIDE) {
    const size = `${pixels.width} × ${pixels.height}`;
    const advice = "Ask for JPEG, PNG or AVIF, or for a smaller one.";
    throw new PhotoTooLargeError(
      `WebP ends at ${MAX_WEBP_SIDE} pixels a side, and this picture would have ${size}. ${advice}`,
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
    `Writing a picture of this size as ${format.toUpperCase()} takes more memory than a ` +
    "task may use. Ask for another format or for a smaller picture."
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
 * Encodes with a metadata block of our own (see `writeExifBlock`). The library can only write one
 * of its own making, so it is given a text as long as our block, and what it wrote is then
 * overwritten: this works for all formats alike, AVIF too.
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
    throw new Error("The image library wrote no metadata block to be replaced.");
  file.fill(0, start, text + exif.length);
  exif.copy(file, start);
  if (file.toString("latin1", 1, 4) === "PNG") sumAnew(file, start);
  return file;
}

/** A chunk of PNG is its length, its type, its data and a checksum of the latter two. */
function sumAnew(file: Buffer, data: number): void {
  const end = data + file.readUInt32BE(data - 8);
  file.writeUInt32BE(crc32(file.subarray(data - 4, end)), end);
}
