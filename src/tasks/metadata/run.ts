import { readFile } from "node:fs/promises";
import { readPhotoHeader, type PhotoHeader } from "../../imaging/formats/photo-header.js";
import { DEFAULT_MAX_PIXELS } from "../../imaging/formats/photo-format.js";
import type { TaskContext } from "../define-task.js";
import { onlyPhoto } from "../photo-work.js";
import type { MetadataParameters } from "./task.js";
import {
  type PhotoTag,
  readPhotoTags,
  type TagGroup,
} from "../../imaging/metadata/read-photo-tags.js";
import { cleanText } from "./clean-text.js";

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

/** What the file at `path` tells, in one plain shape. `redactGps` leaves out where it was taken. */
export async function metadataOf(
  path: string,
  { width, height, orientation }: PhotoHeader,
  { redactGps }: { redactGps: boolean },
) {
  const { tags, gps } = await readPhotoTags(await readFile(path));
  return {
    camera: { make: textOf(tags, "Make"), model: textOf(tags, "Model") },
    lens:
      textOf(tags, "LensModel") ?? textOf(tags, "LensModel", "XMP") ?? textOf(tags, "Lens", "XMP"),
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

function find(tags: PhotoTag[], name: string, group: TagGroup): PhotoTag | undefined {
  return tags.find((tag) => tag.name === name && tag.group === group);
}

function textOf(tags: PhotoTag[], name: string, group: TagGroup = "EXIF"): string | null {
  return cleanText(String(find(tags, name, group)?.value ?? ""));
}

/** A number above zero: cameras write 0 for what they do not know. */
function quantityOf(tags: PhotoTag[], name: string): number | null {
  const number = find(tags, name, "EXIF")?.number ?? 0;
  return number > 0 ? number : null;
}

/**
 * Older cameras write only the APEX values: time Tv = −log2(t), aperture Av = 2·log2(N) (EXIF 2.32,
 * annex C).
 */
function exposureOf(tags: PhotoTag[]) {
  const timeValue = find(tags, "ShutterSpeedValue", "EXIF")?.number ?? null;
  const apertureValue = quantityOf(tags, "ApertureValue");
  return {
    seconds: quantityOf(tags, "ExposureTime") ?? (timeValue === null ? null : 2 ** -timeValue),
    fNumber:
      quantityOf(tags, "FNumber") ?? (apertureValue === null ? null : 2 ** (apertureValue / 2)),
    iso: quantityOf(tags, "ISOSpeedRatings"),
    focalLength: quantityOf(tags, "FocalLength"),
  };
}

function takenAtOf(tags: PhotoTag[]): string | null {
  const dates: [TagGroup, string, string][] = [
    ["EXIF", "DateTimeOriginal", "OffsetTimeOriginal"],
    ["EXIF", "DateTimeDigitized", "OffsetTimeDigitized"],
    ["XMP", "DateTimeOriginal", ""],
    ["XMP", "DateCreated", ""],
  ];
  const times = dates.map(([group, date, offset]) =>
    takenAt(textOf(tags, date, group) ?? "", textOf(tags, offset, group)),
  );
  return times.find((time) => time !== null) ?? null;
}

/** The file's own word, also where the decoder has no use for it (AVIF). */
function orientationOf(tags: PhotoTag[]): number | null {
  const number = quantityOf(tags, "Orientation");
  return number !== null && Number.isInteger(number) && number <= 8 ? number : null;
}

const MOST = 200;
/** Of all names and values as JSON: the whole result may have 256 KiB. */
const MAX_BYTES = 128 * 1024;

/**
 * Name and value of each tag, EXIF's under their plain names, others as `XMP:Rating`; cut to fit.
 */
function flatTags(tags: PhotoTag[]): Record<string, string | number> {
  const flat = new Map<string, string | number>();
  let bytes = 0;
  for (const { group, name, value } of tags) {
    const key = cleanText(group === "EXIF" ? name : `${group}:${name}`, 100);
    const shown = typeof value === "number" ? value : cleanText(value);
    if (key === null || shown === null || flat.has(key)) continue;
    bytes += Buffer.byteLength(JSON.stringify([key, shown]));
    if (bytes > MAX_BYTES || flat.size === MOST) break;
    flat.set(key, shown);
  }
  return Object.fromEntries(flat);
}

// The misspelling is DJI's. Location also is XMP's word for a structure that may hold coordinates.
const TELLS_BY_NAME = /gps|latitude|longitude|longtitude|altitude|coordinate|location|^XMP:geo/i;
const TELLS_BY_TEXT = /gps|latitude|longitude|longtitude|\bgeo:/i;
/** Two decimal degrees side by side, or degrees with minutes. */
const COORDINATES =
  /-?\d{1,3}\.\d{3,}°?\s*[NS]?\s*[,;/ ]\s*-?\d{1,3}\.\d{3,}|\d{1,3}\s*°\s*\d{1,2}/;

/**
 * The tags that tell no position: neither by name nor in their text, which in PNG may be a whole
 * XMP packet.
 */
function redactPosition(tags: PhotoTag[]): PhotoTag[] {
  return tags.filter(({ name, value }) => {
    const text = String(value);
    return !TELLS_BY_NAME.test(name) && !TELLS_BY_TEXT.test(text) && !COORDINATES.test(text);
  });
}

// EXIF 2.32, 4.6.5: "YYYY:MM:DD HH:MM:SS", blanks or zeros when unknown; the offset, if any, stands
// in a tag of its own. XMP writes ISO 8601, offset included.
const DATE =
  /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?(Z|[+-]\d\d:\d\d)?/;
const OFFSET = /^(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/**
 * ISO 8601 of a camera's wall clock, with the offset that the file itself gives or with none: the
 * server's own zone has no say. Null when it is no date.
 */
function takenAt(date: string, offset: string | null): string | null {
  const [, year = "", month = "", day = "", hour = "", minute = "", second = "00", ownOffset] =
    DATE.exec(date) ?? [];
  const inRange =
    Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= 31;
  if (
    year === "0000" ||
    !inRange ||
    Number(hour) > 23 ||
    Number(minute) > 59 ||
    Number(second) > 60
  )
    return null;
  const zone = ownOffset ?? offset ?? "";
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${OFFSET.test(zone) ? zone : ""}`;
}
