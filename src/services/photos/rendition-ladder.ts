// The sizes and formats in which a photo is served. They form a fixed set, so that requests for
// sizes cannot fill the storage.
import { OUTPUT_FILES } from "../../imaging/formats/photo-format.js";
import type { RenditionFormat } from "../../imaging/renditions/rendition-request.js";

/** Widths of renditions in pixels, narrowest first. */
export const LADDER = [
  64, 128, 256, 384, 512, 640, 768, 1024, 1280, 1600, 1920, 2560, 3840,
] as const;

const WIDEST = Math.max(...LADDER);

const RENDITION_FORMATS = ["avif", "webp", "jpeg"] as const satisfies RenditionFormat[];

/** Maximum height that a format allows, in pixels. */
const MAX_HEIGHT: Record<RenditionFormat, number> = { avif: 65_535, webp: 16_383, jpeg: 65_535 };

/** One size and format of a photo. */
export interface Rendition {
  /** Unique among the renditions of a photo, for example `640.webp`. */
  name: string;
  width: number;
  height: number;
  format: RenditionFormat;
  mimeType: string;
}

interface Size {
  width: number;
  height: number;
}

/** The widths of the ladder below the photo's own, and then that one, or the ladder's widest. */
export function renditionWidths(photo: Size, format: RenditionFormat): number[] {
  const perRow = photo.width / photo.height;
  const widest = Math.min(photo.width, WIDEST, Math.floor(MAX_HEIGHT[format] * perRow));
  const last = Math.max(1, widest);
  return [...LADDER.filter((width) => width < last), last];
}

/** The rendition of at least this width; the widest one when there is none. */
export function renditionAt(photo: Size, format: RenditionFormat, width: number): Rendition {
  const widths = renditionWidths(photo, format);
  return renditionOf(photo, format, widths.find((step) => step >= width) ?? widths.at(-1) ?? 1);
}

/** All renditions up to `maxWidth`; at least the narrowest. */
export function renditionsUpTo(
  photo: Size,
  format: RenditionFormat,
  maxWidth = Infinity,
): Rendition[] {
  return renditionWidths(photo, format)
    .filter((width, index) => index === 0 || width <= maxWidth)
    .map((width) => renditionOf(photo, format, width));
}

/** Returns null when a photo of this size has no rendition of this name. */
export function findRendition(photo: Size, name: string): Rendition | null {
  const [width = "", extension = ""] = name.split(".");
  const format = RENDITION_FORMATS.find((each) => OUTPUT_FILES[each].extension === extension);
  if (format === undefined || !renditionWidths(photo, format).includes(Number(width))) return null;
  const rendition = renditionOf(photo, format, Number(width));
  return rendition.name === name ? rendition : null;
}

function renditionOf({ width, height }: Size, format: RenditionFormat, target: number): Rendition {
  const { extension, mimeType } = OUTPUT_FILES[format];
  return {
    name: `${target}.${extension}`,
    width: target,
    height: Math.max(1, Math.round((height * target) / width)),
    format,
    mimeType,
  };
}
