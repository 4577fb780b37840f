import { decodeHeic } from "../../imaging/pixels/decode-heic.js";
import { decodePhoto } from "../../imaging/pixels/decode-photo.js";
import { encodeWithExif, FAITHFUL_QUALITY } from "../../imaging/pixels/encode-pixels.js";
import { heifIsWhole } from "../../imaging/formats/heif.js";
import { iccProfileIsSound } from "../../imaging/metadata/icc-profile-is-sound.js";
import { type OutputFormat, outputFormatOf } from "../../imaging/formats/photo-format.js";
import { fromPixels, sharp } from "../../imaging/pixels/pixels.js";
import { type KeptMetadata, MARKERS, readJpegSegments } from "./cut-metadata.js";

export interface Reencoded {
  data: Buffer;
  format: OutputFormat;
  warnings: string[];
}

type Pipeline = ReturnType<typeof sharp>;
type Header = Awaited<ReturnType<Pipeline["metadata"]>>;

/**
 * Encodes the upright picture with at least the photo's quality. It keeps the photo's colours if
 * its profile is kept and the image library can read it; else it uses sRGB. Throws
 * PhotoUnreadableError and PhotoTooLargeError.
 */
export async function reencode(
  path: string,
  photo: { file: Buffer; format: string; maxPixels: number },
  kept: KeptMetadata,
): Promise<Reencoded> {
  const header = await sharp(path, { limitInputPixels: false, failOn: "truncated" }).metadata();
  const format = formatFor(photo.format, header);
  const encode = (pipeline: Pipeline) =>
    encodeLike(pipeline, format, photo.file, header, kept.exif);
  if (kept.icc && isInOwnColours(header)) {
    const data = await encodeInOwnColours(path, photo, header, encode).catch(() => null);
    if (data !== null) return { data, format, warnings: [] };
    // The decoder below reports or repairs the problem.
  }
  const { pixels, warnings } = await decodePhoto(path, { maxPixels: photo.maxPixels });
  return { data: await encode(fromPixels(pixels)), format, warnings };
}

/** GIF and TIFF cannot be written. JPEG would not show their transparency. */
function formatFor(photoFormat: string, { hasAlpha }: Header): OutputFormat {
  const format = outputFormatOf(photoFormat);
  return format === "jpeg" && hasAlpha && photoFormat !== "jpeg" ? "png" : format;
}

/**
 * Grey and CMYK are decoded to RGB, which their profiles do not describe, and several pages need a
 * warning. `decodePhoto` handles both cases.
 */
function isInOwnColours({ icc, space, compression, pages = 1 }: Header): boolean {
  return (
    icc !== undefined &&
    iccProfileIsSound(icc) &&
    space === "srgb" &&
    (pages === 1 || compression === "hevc")
  );
}

async function encodeInOwnColours(
  path: string,
  { file, maxPixels }: { file: Buffer; maxPixels: number },
  { compression, icc }: Header,
  encode: (pipeline: Pipeline) => Promise<Buffer>,
): Promise<Buffer> {
  if (compression === "hevc" && !heifIsWhole(file))
    throw new Error("The file ends before the end of its pictures.");
  const input = compression === "hevc" ? await decodeHeic(file, icc ?? null) : path;
  return encode(
    sharp(input, { failOn: "warning", limitInputPixels: maxPixels }).autoOrient().keepIccProfile(),
  );
}

function encodeLike(
  pipeline: Pipeline,
  format: OutputFormat,
  file: Buffer,
  header: Header,
  exif: Buffer | null,
): Promise<Buffer> {
  const encoder = encoderFor(pipeline, format, file, header);
  return exif === null ? encoder.toBuffer() : encodeWithExif(encoder, exif);
}

function encoderFor(
  pipeline: Pipeline,
  format: OutputFormat,
  file: Buffer,
  { chromaSubsampling }: Header,
): Pipeline {
  const quality = FAITHFUL_QUALITY[format];
  switch (format) {
    case "jpeg":
      // The library writes only two kinds of chroma; every other kind gets the finer one.
      return pipeline.jpeg({
        quality: Math.max(quality, jpegQuality(file) ?? 0),
        chromaSubsampling: chromaSubsampling?.startsWith("4:2:0") ? "4:2:0" : "4:4:4",
      });
    case "webp":
      return pipeline.webp({ quality, lossless: file.includes("VP8L") });
    case "avif":
      return pipeline.avif({ quality, effort: 2 });
    case "png":
      return pipeline.png();
  }
}

/** ITU-T T.81, table K.1, in the order of the file (zigzag), which is quality 50. */
const LUMINANCE = [
  16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37,
  29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
  95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
];

/** The libjpeg quality, 1 to 100, according to the first table; null when there is none. */
function jpegQuality(file: Buffer): number | null {
  const tables = readJpegSegments(file)?.find(({ marker }) => marker === MARKERS.tables)?.bytes;
  // Marker and length come first, then one byte with the precision and the number of the table.
  if (tables === undefined || tables.length < 5 + 64 || tables[4] !== 0) return null;
  const shares = LUMINANCE.map((standard, index) => (100 * (tables[5 + index] ?? 0)) / standard);
  const scale = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return Math.min(100, Math.max(1, Math.round(scale <= 100 ? (200 - scale) / 2 : 5000 / scale)));
}
