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
 * The upright picture, encoded as faithfully as the photo was. In the photo's own colours where its
 * profile stays and the image library can read it, else in sRGB. Throws PhotoUnreadableError and
 * PhotoTooLargeError.
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
    // What is wrong with it is for the decoder below to say, or to repair.
  }
  const { pixels, warnings } = await decodePhoto(path, { maxPixels: photo.maxPixels });
  return { data: await encode(fromPixels(pixels)), format, warnings };
}

/**
 * GIF and TIFF are not written; where they are transparent, JPEG would not show the same picture.
 */
function formatFor(photoFormat: string, { hasAlpha }: Header): OutputFormat {
  const format = outputFormatOf(photoFormat);
  return format === "jpeg" && hasAlpha && photoFormat !== "jpeg" ? "png" : format;
}

/**
 * Grey and CMYK come out as RGB, which their profiles do not describe; what has several pages
 * carries a warning: both are for `decodePhoto`.
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
    throw new Error("The file ends before its pictures do.");
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
      // The library writes two kinds of chroma only; the finer one for all that is not the coarser.
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

/** ITU-T T.81, table K.1, in the order of the file (zigzag): quality 50. */
const LUMINANCE = [
  16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37,
  29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
  95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
];

/**
 * The quality 1 to 100 that libjpeg would call it, by the first table; null where none can be read.
 */
function jpegQuality(file: Buffer): number | null {
  const tables = readJpegSegments(file)?.find(({ marker }) => marker === MARKERS.tables)?.bytes;
  // Marker and length, then one byte with the precision and the table's number.
  if (tables === undefined || tables.length < 5 + 64 || tables[4] !== 0) return null;
  const shares = LUMINANCE.map((standard, index) => (100 * (tables[5 + index] ?? 0)) / standard);
  const scale = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return Math.min(100, Math.max(1, Math.round(scale <= 100 ? (200 - scale) / 2 : 5000 / scale)));
}
