import { loadTags, PNG_PICTURE } from "./read-photo-tags.js";

export interface FoundTag {
  /**
   * The block that contains the tag: EXIF, IPTC, XMP, ICC, PNG, MakerNotes, Photoshop, Thumbnail,
   * or the library's name.
   */
  group: string;
  name: string;
  /** The value, if it is text. */
  text: string | null;
}

/** The library's names of the groups; a group that is not listed keeps its name. */
const GROUPS: Record<string, string> = {
  exif: "EXIF",
  iptc: "IPTC",
  xmp: "XMP",
  icc: "ICC",
  pngText: "PNG",
  png: "PNG",
  makerNotes: "MakerNotes",
  photoshop: "Photoshop",
};

/**
 * Groups that describe the picture and the container, or that the library computes from other tags.
 */
const NO_METADATA = new Set([
  "file",
  "jfif",
  "pngFile",
  "riff",
  "gif",
  "gps",
  "composite",
  "metadataRange",
]);

/**
 * All metadata that the library finds in a file, including the camera makers' blocks. It is used to
 * find remaining metadata, whereas `readPhotoTags` is for display. Returns none when the metadata
 * cannot be read.
 */
export async function readEveryTag(file: Buffer): Promise<FoundTag[]> {
  // Unknown tags are included, because they may contain personal data.
  const groups = Object.entries(await loadTags(file, { includeUnknown: true })).filter(
    ([group]) => !NO_METADATA.has(group),
  );
  return groups.flatMap(([group, tags]) => {
    const named = Object.entries((tags ?? {}) as Record<string, unknown>).filter(
      ([name]) => !(group === "png" && PNG_PICTURE.test(name)),
    );
    return named.map(([name, tag]) => ({ group: GROUPS[group] ?? group, name, text: textOf(tag) }));
  });
}

function textOf(tag: unknown): string | null {
  if (typeof tag === "string") return tag;
  if (Array.isArray(tag)) return tag.map(textOf).join("\n");
  if (typeof tag !== "object" || tag === null || !("description" in tag)) return null;
  return typeof tag.description === "string" ? tag.description : null;
}
