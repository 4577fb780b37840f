import type { PhotoTag } from "../../imaging/metadata/read-photo-tags.js";

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
export function redactPosition(tags: PhotoTag[]): PhotoTag[] {
  return tags.filter(({ name, value }) => {
    const text = String(value);
    return !TELLS_BY_NAME.test(name) && !TELLS_BY_TEXT.test(text) && !COORDINATES.test(text);
  });
}
