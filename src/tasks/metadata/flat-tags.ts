import type { PhotoTag } from "../../imaging/metadata/read-photo-tags.js";
import { cleanText } from "./clean-text.js";

const MOST = 200;
/** Of all names and values as JSON: the whole result may have 256 KiB. */
const MOST_BYTES = 128 * 1024;

/**
 * Name and value of each tag, EXIF's under their plain names, others as `XMP:Rating`; cut to fit.
 */
export function flatTags(tags: PhotoTag[]): Record<string, string | number> {
  const flat = new Map<string, string | number>();
  let bytes = 0;
  for (const { group, name, value } of tags) {
    const key = cleanText(group === "EXIF" ? name : `${group}:${name}`, 100);
    const shown = typeof value === "number" ? value : cleanText(value);
    if (key === null || shown === null || flat.has(key)) continue;
    bytes += Buffer.byteLength(JSON.stringify([key, shown]));
    if (bytes > MOST_BYTES || flat.size === MOST) break;
    flat.set(key, shown);
  }
  return Object.fromEntries(flat);
}
