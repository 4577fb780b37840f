import type { PhotoTag, TagGroup } from "../../imaging/metadata/read-photo-tags.js";
import { cleanText } from "../../imaging/metadata/clean-text.js";

/** The rights to a picture; null where the file does not name them. */
export interface PhotoRights {
  copyright: string | null;
  artist: string | null;
}

const COPYRIGHT: [TagGroup, string][] = [
  ["EXIF", "Copyright"],
  ["IPTC", "Copyright Notice"],
  ["XMP", "rights"],
];
const ARTIST: [TagGroup, string][] = [
  ["EXIF", "Artist"],
  ["IPTC", "By-line"],
  ["XMP", "creator"],
];

/** Reads copyright and artist, each from EXIF, else IPTC, else XMP. */
export function photoRights(tags: PhotoTag[]): PhotoRights {
  return { copyright: firstOf(tags, COPYRIGHT), artist: firstOf(tags, ARTIST) };
}

function firstOf(tags: PhotoTag[], places: [TagGroup, string][]): string | null {
  const texts = places.map(([group, name]) =>
    cleanText(String(tags.find((tag) => tag.group === group && tag.name === name)?.value ?? "")),
  );
  return texts.find((text) => text !== null) ?? null;
}
