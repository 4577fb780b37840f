import exifReader, { type ExpandedTags, type IncludeTagsOptions } from "exifreader";

/** The block that contains a tag. The camera makers' own blocks are not read. */
export type TagGroup = "EXIF" | "IPTC" | "XMP" | "ICC" | "PNG";

export interface PhotoTag {
  group: TagGroup;
  /** Name as in the standard, e.g. `DateTimeOriginal`. */
  name: string;
  /** Value for display: a number for a quantity, text for a text or a named choice. */
  value: string | number;
  /**
   * Value for computing: the number behind `value`, the first of several; null when there is none.
   */
  number: number | null;
}

export interface PhotoTags {
  tags: PhotoTag[];
  /** Signed decimal degrees and metres; null when the file has no position. */
  gps: { latitude: number; longitude: number; altitude: number | null } | null;
}

const GROUPS = {
  exif: "EXIF",
  iptc: "IPTC",
  xmp: "XMP",
  icc: "ICC",
  pngText: "PNG",
} as const satisfies Record<string, TagGroup>;

/**
 * All tags of a photo's file, or those that `only` names, in any order. Broken blocks are left out.
 */
export async function readPhotoTags(
  file: Buffer,
  only: { includeTags?: IncludeTagsOptions } = {},
): Promise<PhotoTags> {
  const groups = await loadTags(file, { computed: true, ...only });
  const tags = Object.entries(GROUPS).flatMap(([key, group]) => {
    const entries = Object.entries(
      (groups[key as keyof typeof GROUPS] ?? {}) as Record<string, unknown>,
    );
    return entries.flatMap(([name, tag]) => readTag(group, name, tag) ?? []);
  });
  return { tags, gps: positionIn(groups.gps ?? {}, tags) };
}

function positionIn(
  { Latitude, Longitude, Altitude }: NonNullable<ExpandedTags["gps"]>,
  tags: PhotoTag[],
): PhotoTags["gps"] {
  const latitude = finite(Latitude) ?? degreesOf(tags, "GPSLatitude");
  const longitude = finite(Longitude) ?? degreesOf(tags, "GPSLongitude");
  if (
    latitude === null ||
    longitude === null ||
    Math.abs(latitude) > 90 ||
    Math.abs(longitude) > 180
  )
    return null;
  // When the reference tag is missing, EXIF defines the altitude as above the sea.
  const altitude =
    finite(Altitude) ??
    tags.find((tag) => tag.group === "EXIF" && tag.name === "GPSAltitude")?.number ??
    null;
  return { latitude, longitude, altitude };
}

/**
 * Programs that cannot write EXIF store the position only in XMP; the library shows it as `51.5S`.
 */
function degreesOf(tags: PhotoTag[], name: string): number | null {
  const text = String(tags.find((tag) => tag.group === "XMP" && tag.name === name)?.value);
  const [, degrees, direction = ""] = /^(\d+(?:\.\d+)?)([NSEW])$/.exec(text) ?? [];
  return degrees === undefined ? null : Number(degrees) * ("SW".includes(direction) ? -1 : 1);
}

/** Parts of the file's structure, and whole packets, that the library lists among the tags. */
const STRUCTURE = /^_raw$|IFD Pointer$|^MakerNote$|^about$|^XML:com\.adobe\.xmp$|^Raw profile type/;

/** IPTC repeats a tag for each of its values. */
function joined(tags: LibraryTag[]): LibraryTag {
  return { description: tags.map((tag) => String(tag.description)).join(", ") };
}

/** One tag as the library returns it. */
interface LibraryTag {
  value?: unknown;
  description?: unknown;
  computed?: unknown;
}

function readTag(group: TagGroup, name: string, tag: unknown): PhotoTag | null {
  if (typeof tag !== "object" || tag === null || STRUCTURE.test(name)) return null;
  if (group === "PNG" && PNG_PICTURE.test(name)) return null;
  const {
    value,
    description,
    computed = value,
  } = Array.isArray(tag) ? joined(tag) : (tag as LibraryTag);
  const number = finite(Array.isArray(computed) ? computed[0] : computed);
  const text =
    typeof description === "string" || typeof description === "number" ? description : null;
  if (isQuantity(value, computed, text))
    return { group, name, value: typeof text === "number" ? text : (computed as number), number };
  if (text === null || isBytes(value, text)) return null;
  return { group, name, value: String(text), number };
}

/**
 * True for a fraction, or for a number whose description is the same number, perhaps with a unit.
 * False for a number that stands for a choice.
 */
function isQuantity(value: unknown, computed: unknown, text: string | number | null): boolean {
  if (typeof text === "number") return Number.isFinite(text);
  if (finite(computed) === null) return false;
  return Array.isArray(value) || text === null || /^-?[\d.]+(?: ?[a-z%]+)?$/i.test(text);
}

/** True for blocks that the library cannot decode: their description is empty or in brackets. */
function isBytes(value: unknown, text: string | number): boolean {
  return (
    Array.isArray(value) &&
    value.length > 4 &&
    value.every((byte) => typeof byte === "number") &&
    /^(?:\[.*\])?$/.test(String(text))
  );
}

function finite(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

// Node finds no named exports in this CommonJS module.
// oxlint-disable-next-line import/no-named-as-default-member
const { load } = exifReader;

/** Entries among the tags of a PNG that describe the picture's size, coding and density. */
export const PNG_PICTURE =
  /^(?:Image (?:Width|Height)|Bit Depth|Color Type|Compression|Filter|Interlace|Pixels? .*)$/;

/**
 * A file's metadata by group, as the library returns it. Empty when it cannot be read, because the
 * picture may still be usable.
 */
export async function loadTags(
  file: Buffer,
  more: { computed?: true; includeUnknown?: true; includeTags?: IncludeTagsOptions },
): Promise<ExpandedTags> {
  try {
    // The library reads compressed blocks of PNG only with `async`.
    return await load(file, { expanded: true, async: true, ...more });
  } catch {
    return {};
  }
}
