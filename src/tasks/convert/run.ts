import { readFile } from "node:fs/promises";
import { decodePhoto } from "../../imaging/pixels/decode-photo.js";
import { encodePixels } from "../../imaging/pixels/encode-pixels.js";
import { OUTPUT_FILES, DEFAULT_MAX_PIXELS } from "../../imaging/formats/photo-format.js";
import {
  readPhotoTags,
  type PhotoTag,
  type PhotoTags,
} from "../../imaging/metadata/read-photo-tags.js";
import type { TaskContext } from "../define-task.js";
import { onlyPhoto } from "../photo-work.js";
import type { ConvertParameters } from "./task.js";
import { exifNames, writeExifBlock } from "../../imaging/metadata/exif-block.js";
import { cleanText } from "../../imaging/metadata/clean-text.js";
import { photoRights } from "../scrub/photo-rights.js";

export async function run(context: TaskContext<ConvertParameters>) {
  const { photos, signal, progress, output, maxPixels = DEFAULT_MAX_PIXELS } = context;
  const { format, quality, lossless, keepMetadata } = context.parameters;
  const photo = onlyPhoto(photos);
  progress(0, "decoding");
  const { pixels, warnings } = await decodePhoto(photo.path, { maxPixels });
  signal.throwIfAborted();
  progress(0.4, `encoding ${format.toUpperCase()}`);
  const exif = keepMetadata ? chosenExif(await readPhotoTags(await readFile(photo.path))) : null;
  const data = await encodePixels(pixels, format, quality, { lossless, exif });
  signal.throwIfAborted();
  progress(0.95, "writing");
  const { width, height } = pixels;
  const { extension, mimeType } = OUTPUT_FILES[format];
  const { byteSize } = await output({
    name: `converted.${extension}`,
    mimeType,
    width,
    height,
    data,
  });
  progress(1, "done");
  return {
    format,
    width,
    height,
    byteSize,
    ratio: byteSize / photo.byteSize,
    ...(warnings.length > 0 && { warnings }),
  };
}

/**
 * Camera, lens, exposure, times, place, description, artist and copyright as a block for the
 * encoder; null when there are none. The fields are written one by one instead of copying the
 * photo's block. That block may contain an outdated thumbnail, a wrong orientation and other data.
 */
function chosenExif({ tags, gps }: PhotoTags): Buffer | null {
  const exif = tags.filter(({ group }) => group === "EXIF");
  const { copyright, artist } = photoRights(tags);
  const rights = {
    ...(copyright !== null && { Copyright: copyright }),
    ...(artist !== null && { Artist: artist }),
  };
  return writeExifBlock({
    main: { ...textsOf(exif, exifNames("main", true)), ...rights },
    exposure: {
      ...textsOf(exif, exifNames("exposure", true)),
      ...numbersOf(exif, exifNames("exposure", false)),
    },
    gps: gps === null ? {} : positionOf(gps),
  });
}

function textsOf(tags: PhotoTag[], names: string[]): Record<string, string> {
  return pick(tags, names, ({ value }) => cleanText(String(value)));
}

function numbersOf(tags: PhotoTag[], names: string[]): Record<string, number[]> {
  return pick(tags, names, ({ number }) =>
    number !== null && Math.abs(number) <= 65_535 ? [number] : null,
  );
}

function pick<Value>(
  tags: PhotoTag[],
  names: string[],
  valueOf: (tag: PhotoTag) => Value | null,
): Record<string, Value> {
  const entries = tags
    .filter(({ name }) => names.includes(name))
    .map((tag) => [tag.name, valueOf(tag)] as const);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

function positionOf({ latitude, longitude, altitude }: NonNullable<PhotoTags["gps"]>) {
  return {
    GPSLatitudeRef: latitude < 0 ? "S" : "N",
    GPSLatitude: sexagesimal(latitude),
    GPSLongitudeRef: longitude < 0 ? "W" : "E",
    GPSLongitude: sexagesimal(longitude),
    ...(altitude !== null && {
      GPSAltitudeRef: [altitude < 0 ? 1 : 0],
      GPSAltitude: [Math.abs(altitude)],
    }),
  };
}

/** Degrees, minutes, and seconds with three decimals, which is 3 cm on the ground. */
function sexagesimal(decimal: number): number[] {
  const thousandths = Math.round(Math.abs(decimal) * 3_600_000);
  return [
    Math.floor(thousandths / 3_600_000),
    Math.floor(thousandths / 60_000) % 60,
    (thousandths % 60_000) / 1000,
  ];
}
