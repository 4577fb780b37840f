import { loadTags, PNG_PICTURE } from "./read-photo-tags.js";

export interface FoundTag {
  /**
   * Where it stands: EXIF, IPTC, XMP, ICC, PNG, MakerNotes, Photoshop, Thumbnail, or what the
   * library calls it.
   */
  group: string;
  name: string;
  /** What the file says, where that is text. */
  text: string | null;
}

/** The library's words for the groups; what it calls otherwise keeps its own name. */
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

/** Of the picture and the container, and what the library computes from other tags. */
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
 * All that the library finds in a file's metadata, the makers' own blocks included. For finding
 * what a file still tells: `readPhotoTags` is for showing what it says. A file whose metadata
 * cannot be read at all yields none.
 */
export async function readEveryTag(file: Buffer): Promise<FoundTag[]> {
  // Unknown ones, too: they may tell something.
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
