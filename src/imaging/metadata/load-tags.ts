import exifReader, { type ExpandedTags } from "exifreader";

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
