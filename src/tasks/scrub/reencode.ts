import { decodeHeic } from "../../imaging/pixels/decode-heic.js";
import { decodePhoto } from "../../imaging/pixels/decode-photo.js";
import { encodeWithExif } from "../../imaging/metadata/encode-with-exif.js";
import { FAITHFUL_QUALITY } from "../../imaging/pixels/faithful-quality.js";
import { heifIsWhole } from "../../imaging/formats/heif-is-whole.js";
import { iccProfileIsSound } from "../../imaging/metadata/icc-profile-is-sound.js";
import type { OutputFormat } from "../../imaging/formats/output-format.js";
import { outputFormatOf } from "../../imaging/formats/output-format-of.js";
import { fromPixels } from "../../imaging/pixels/raw-pixels.js";
import { sharp } from "../../imaging/pixels/sharp.js";
import { jpegQuality } from "./jpeg-quality.js";
import type { KeptMetadata } from "./kept-metadata.js";

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
