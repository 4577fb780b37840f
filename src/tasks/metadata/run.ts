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

/** The metadata of the file at `path` in one flat structure. `redactGps` removes the position. */
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

/** A number above zero, because cameras write 0 for unknown values. */
function quantityOf(tags: PhotoTag[], name: string): number | null {
  const number = find(tags, name, "EXIF")?.number ?? 0;
  return number > 0 ? number : null;
}

/**
 * Older cameras write only APEX values: time Tv = −log2(t), aperture Av = 2·log2(N) (EXIF 2.32,
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

/** The orientation from the tags, also for AVIF, whose decoder ignores it. */
function orientationOf(tags: PhotoTag[]): number | null {
  const number = quantityOf(tags, "Orientation");
  return number !== null && Number.isInteger(number) && number <= 8 ? number : null;
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

// EXIF 2.32, 4.6.5: "YYYY:MM:DD HH:MM:SS", with blanks or zeros when unknown; a separate tag holds
// the offset. XMP writes ISO 8601 with the offset.
const DATE =
  /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?(Z|[+-]\d\d:\d\d)?/;
const OFFSET = /^(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/**
 * The time of the camera's clock in ISO 8601. It has an offset only if the file has one; the
 * server's time zone is not used. Null when the text is not a date.
 */
function takenAt(date: string, offset: string | null): string | null {
  const [, year = "", month = "", day = "", hour = "", minute = "", second = "00", dateOffset] =
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
  const zone = dateOffset ?? offset ?? "";
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${OFFSET.test(zone) ? zone : ""}`;
}
