import { readFile } from "node:fs/promises";
import type { PhotoHeader } from "../../imaging/formats/photo-header.js";
import {
  readPhotoTags,
  type PhotoTag,
  type TagGroup,
} from "../../imaging/metadata/read-photo-tags.js";
import { cleanText } from "./clean-text.js";
import { flatTags } from "./flat-tags.js";
import { redactPosition } from "./redact-position.js";
import { takenAt } from "./taken-at.js";

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
