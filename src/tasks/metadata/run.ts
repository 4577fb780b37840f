import { readFile } from "node:fs/promises";
import { readPhotoHeader, type PhotoHeader } from "../../imaging/formats/photo-header.js";
import { DEFAULT_MAX_PIXELS } from "../../imaging/formats/photo-format.js";
import type { TaskContext } from "../define-task.js";
import { onlyPhoto } from "../photo-work.js";
import type { MetadataParameters } from "./task.js";
import { cleanText } from "../../imaging/metadata/clean-text.js";
import {
  findTag,
  lensOf,
  orientationOf,
  quantityOf,
  takenAtOf,
  textOf,
} from "../../imaging/metadata/photo-facts.js";
import { type PhotoTag, readPhotoTags } from "../../imaging/metadata/read-photo-tags.js";

export async function run(context: TaskContext<MetadataParameters>) {
  const { photos, signal, progress, maxPixels = DEFAULT_MAX_PIXELS } = context;
  const { path } = onlyPhoto(photos);
  progress(0, "reading the header");
  const header = await readPhotoHeader(path, { maxPixels });
  signal.throwIfAborted();
  progress(0.3, "reading the tags");
  const result = await metadataOf(path, header, context.parameters);
  progress(1, "done");
  return result;
}

/** The metadata of the file at `path` in one flat structure. `redactGps` removes the position. */
export async function metadataOf(
  path: string,
  { width, height, orientation }: PhotoHeader,
  { redactGps }: { redactGps: boolean },
) {
  const { tags, gps } = await readPhotoTags(await readFile(path));
  return {
    camera: { make: textOf(tags, "Make"), model: textOf(tags, "Model") },
    lens: lensOf(tags),
    exposure: exposureOf(tags),
    takenAt: takenAtOf(tags),
    gps: redactGps ? null : gps,
    orientation: orientationOf(tags) ?? orientation,
    colorProfile: textOf(tags, "ICC Description", "ICC"),
    width,
    height,
    tags: flatTags(redactGps ? redactPosition(tags) : tags),
  };
}

/**
 * Older cameras write only APEX values: time Tv = −log2(t), aperture Av = 2·log2(N) (EXIF 2.32,
 * annex C).
 */
function exposureOf(tags: PhotoTag[]) {
  const timeValue = findTag(tags, "ShutterSpeedValue", "EXIF")?.number ?? null;
  const apertureValue = quantityOf(tags, "ApertureValue");
  return {
    seconds: quantityOf(tags, "ExposureTime") ?? (timeValue === null ? null : 2 ** -timeValue),
    fNumber:
      quantityOf(tags, "FNumber") ?? (apertureValue === null ? null : 2 ** (apertureValue / 2)),
    iso: quantityOf(tags, "ISOSpeedRatings"),
    focalLength: quantityOf(tags, "FocalLength"),
  };
}

const MAX_TAGS = 200;
/** Maximum bytes of all names and values as JSON; the whole result may have 256 KiB. */
const MAX_BYTES = 128 * 1024;

/**
 * Name and value of each tag, with plain names for EXIF and others like `XMP:Rating`; cut to the
 * limits.
 */
function flatTags(tags: PhotoTag[]): Record<string, string | number> {
  const flat = new Map<string, string | number>();
  let bytes = 0;
  for (const { group, name, value } of tags) {
    const key = cleanText(group === "EXIF" ? name : `${group}:${name}`, 100);
    const shown = typeof value === "number" ? value : cleanText(value);
    if (key === null || shown === null || flat.has(key)) continue;
    bytes += Buffer.byteLength(JSON.stringify([key, shown]));
    if (bytes > MAX_BYTES || flat.size === MAX_TAGS) break;
    flat.set(key, shown);
  }
  return Object.fromEntries(flat);
}

// DJI misspells longitude. In XMP, Location is also a structure that may contain coordinates.
const POSITION_NAME = /gps|latitude|longitude|longtitude|altitude|coordinate|location|^XMP:geo/i;
const POSITION_TEXT = /gps|latitude|longitude|longtitude|\bgeo:/i;
/** Matches two decimal degrees next to each other, or degrees with minutes. */
const COORDINATES =
  /-?\d{1,3}\.\d{3,}°?\s*[NS]?\s*[,;/ ]\s*-?\d{1,3}\.\d{3,}|\d{1,3}\s*°\s*\d{1,2}/;

/** The tags without a position in their name or text. In PNG the text may be a whole XMP packet. */
function redactPosition(tags: PhotoTag[]): PhotoTag[] {
  return tags.filter(({ name, value }) => {
    const text = String(value);
    return !POSITION_NAME.test(name) && !POSITION_TEXT.test(text) && !COORDINATES.test(text);
  });
}
