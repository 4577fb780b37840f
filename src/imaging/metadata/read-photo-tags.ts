import exifReader, { type ExpandedTags } from "exifreader";

/** Where a tag stands in the file. Nothing of the makers' own blocks is kept. */
export type TagGroup = "EXIF" | "IPTC" | "XMP" | "ICC" | "PNG";

export interface PhotoTag {
  group: TagGroup;
  /** As the standard spells it, e.g. `DateTimeOriginal`. */
  name: string;
  /**
   * For people: a number where it is a quantity, text where it is text or names one of several
   * choices.
   */
  value: string | number;
  /** For computing: the number behind `value`, of several the first; null when it is none. */
  number: number | null;
}

export interface PhotoTags {
  tags: PhotoTag[];
  /** Signed decimal degrees and metres; null where the file has no place on the globe. */
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
 * Everything a photo's file says of itself, in no order that matters. A file without any yields
 * none; a broken block is left out.
 */
export async function readPhotoTags(file: Buffer): Promise<PhotoTags> {
  const found = await loadTags(file, { computed: true });
  const tags = Object.entries(GROUPS).flatMap(([key, group]) => {
    const entries = Object.entries(
      (found[key as keyof typeof GROUPS] ?? {}) as Record<string, unknown>,
    );
    return entries.flatMap(([name, tag]) => readTag(group, name, tag) ?? []);
  });
  return { tags, gps: positionIn(found.gps ?? {}, tags) };
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
  // Without the tag that says above or below the sea, EXIF means above.
  const altitude =
    finite(Altitude) ??
    tags.find((tag) => tag.group === "EXIF" && tag.name === "GPSAltitude")?.number ??
    null;
  return { latitude, longitude, altitude };
}

/**
 * Programs that cannot write EXIF put the position into XMP alone; the library shows it as `51.5S`.
 */
function degreesOf(tags: PhotoTag[], name: string): number | null {
  const text = String(tags.find((tag) => tag.group === "XMP" && tag.name === name)?.value);
  const [, degrees, direction = ""] = /^(\d+(?:\.\d+)?)([NSEW])$/.exec(text) ?? [];
  return degrees === undefined ? null : Number(degrees) * ("SW".includes(direction) ? -1 : 1);
}

/** Parts of the file's structure that the library lists among the tags, and whole packets. */
const STRUCTURE = /^_raw$|IFD Pointer$|^MakerNote$|^about$|^XML:com\.adobe\.xmp$|^Raw profile type/;

/** IPTC repeats a tag for each of its values. */
function joined(tags: LibraryTag[]): LibraryTag {
  return { description: tags.map((tag) => String(tag.description)).join(", ") };
}

/** What the library tells of one tag. */
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
 * A fraction, or a number whose description is the same number, perhaps with a unit; not one that
 * stands for a choice.
 */
function isQuantity(value: unknown, computed: unknown, text: string | number | null): boolean {
  if (typeof text === "number") return Number.isFinite(text);
  if (finite(computed) === null) return false;
  return Array.isArray(value) || text === null || /^-?[\d.]+(?: ?[a-z%]+)?$/i.test(text);
}

/** Blocks that the library has not understood: their description is empty or says so. */
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

// A CommonJS module, of which Node sees no named exports.
// oxlint-disable-next-line import/no-named-as-default-member
const { load } = exifReader;

/**
 * What the library lists among the tags of a PNG, and is its picture's size, coding and density.
 */
export const PNG_PICTURE =
  /^(?:Image (?:Width|Height)|Bit Depth|Color Type|Compression|Filter|Interlace|Pixels? .*)$/;

/**
 * A file's metadata as the library has it, by group; none where it cannot be read at all: the
 * picture may be fine without.
 */
export async function loadTags(
  file: Buffer,
  more: { computed?: true; includeUnknown?: true },
): Promise<ExpandedTags> {
  try {
    // `async`: compressed blocks of PNG are read only so.
    return await load(file, { expanded: true, async: true, ...more });
  } catch {
    return {};
  }
}
