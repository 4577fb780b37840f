// The facts about a picture that people search for, from the tags of its file.
import type { PhotoFormat } from "../formats/photo-format.js";
import { cleanText } from "./clean-text.js";
import { readTagBytes } from "./read-tag-bytes.js";
import { readPhotoTags, type PhotoTag, type PhotoTags, type TagGroup } from "./read-photo-tags.js";

export interface PhotoFacts {
  /** Time of the camera's clock, without a zone: `2024-05-06T07:08:09`. */
  takenAt: string | null;
  /** Offset of that clock from UTC, such as `+02:00`; null when the file does not have it. */
  takenAtOffset: string | null;
  /** Decimal degrees and metres. */
  location: PhotoTags["gps"];
  /** Make and model in one text. */
  camera: string | null;
  lens: string | null;
  /** Orientation in the file, 1 to 8. */
  orientation: number | null;
}

/** Others are not read, because a tag can be as large as the file. */
const NEEDED: Parameters<typeof readPhotoTags>[1] = {
  includeTags: {
    exif: [
      "Make",
      "Model",
      "LensModel",
      "Orientation",
      "DateTimeOriginal",
      "OffsetTimeOriginal",
      "DateTimeDigitized",
      "OffsetTimeDigitized",
      "GPSAltitude",
    ],
    xmp: true,
    gps: true,
  },
};

export async function readPhotoFacts(path: string, format: PhotoFormat): Promise<PhotoFacts> {
  return photoFactsOf(await readPhotoTags(readTagBytes(path, format), NEEDED));
}

export function photoFactsOf({ tags, gps }: PhotoTags): PhotoFacts {
  const [, takenAt = null, offset = null] = TIME.exec(takenAtOf(tags) ?? "") ?? [];
  return {
    takenAt,
    takenAtOffset: offset === "Z" ? "+00:00" : offset,
    location: gps,
    camera: cleanText(cameraOf(tags) ?? "", LONGEST),
    lens: cleanText(lensOf(tags) ?? "", LONGEST),
    orientation: orientationOf(tags),
  };
}

/** Maximum characters of camera and lens, which indexes contain. */
const LONGEST = 100;

/** Parts of what `takenAtOf` returns. */
const TIME = /^(.{19})(Z|[+-]\d\d:\d\d)?$/;

/** Many makers repeat their name in the model. */
function cameraOf(tags: PhotoTag[]): string | null {
  const [make, model] = [textOf(tags, "Make"), textOf(tags, "Model")];
  if (make === null || model === null) return make ?? model;
  const repeats = model.toLowerCase().startsWith(make.toLowerCase());
  return repeats ? model : `${make} ${model}`;
}

export function lensOf(tags: PhotoTag[]): string | null {
  return (
    textOf(tags, "LensModel") ?? textOf(tags, "LensModel", "XMP") ?? textOf(tags, "Lens", "XMP")
  );
}

export function findTag(tags: PhotoTag[], name: string, group: TagGroup): PhotoTag | undefined {
  return tags.find((tag) => tag.name === name && tag.group === group);
}

export function textOf(tags: PhotoTag[], name: string, group: TagGroup = "EXIF"): string | null {
  return cleanText(String(findTag(tags, name, group)?.value ?? ""));
}

/** A number above zero, because cameras write 0 for unknown values. */
export function quantityOf(tags: PhotoTag[], name: string): number | null {
  const number = findTag(tags, name, "EXIF")?.number ?? 0;
  return number > 0 ? number : null;
}

/** The orientation from the tags, also for AVIF, whose decoder ignores it. */
export function orientationOf(tags: PhotoTag[]): number | null {
  const number = quantityOf(tags, "Orientation");
  return number !== null && Number.isInteger(number) && number <= 8 ? number : null;
}

/** The time of the camera's clock in ISO 8601, with the offset that the file has; null if none. */
export function takenAtOf(tags: PhotoTag[]): string | null {
  const dates: [TagGroup, string, string][] = [
    ["EXIF", "DateTimeOriginal", "OffsetTimeOriginal"],
    ["EXIF", "DateTimeDigitized", "OffsetTimeDigitized"],
    ["XMP", "DateTimeOriginal", ""],
    ["XMP", "DateCreated", ""],
  ];
  const times = dates.map(([group, date, offset]) =>
    clockTime(textOf(tags, date, group) ?? "", textOf(tags, offset, group)),
  );
  return times.find((time) => time !== null) ?? null;
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
function clockTime(date: string, offset: string | null): string | null {
  const [, year = "", month = "", day = "", hour = "", minute = "", second = "00", dateOffset] =
    DATE.exec(date) ?? [];
  if (year === "0000" || !isDate(year, month, day)) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  const zone = dateOffset ?? offset ?? "";
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${OFFSET.test(zone) ? zone : ""}`;
}

/** False for a day that its month does not have. */
function isDate(year: string, month: string, day: string): boolean {
  const time = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).getUTCDate() === Number(day);
}
