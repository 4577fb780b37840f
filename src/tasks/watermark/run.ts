import { fileURLToPath } from "node:url";
import { decodePhoto } from "../../imaging/pixels/decode-photo.js";
import { encodePixels, FAITHFUL_QUALITY } from "../../imaging/pixels/encode-pixels.js";
import {
  OUTPUT_FILES,
  outputFormatOf,
  DEFAULT_MAX_PIXELS,
} from "../../imaging/formats/photo-format.js";
import { type Pixels, sharp, fromPixels, toPixels } from "../../imaging/pixels/pixels.js";
import type { TaskContext } from "../define-task.js";
import { onlyPhoto } from "../photo-work.js";
import type { WatermarkParameters } from "./task.js";

export async function run(context: TaskContext<WatermarkParameters>) {
  const { photos, signal, progress, output, maxPixels = DEFAULT_MAX_PIXELS } = context;
  const photo = onlyPhoto(photos);
  progress(0, "decoding");
  const { header, pixels, warnings } = await decodePhoto(photo.path, { maxPixels });
  signal.throwIfAborted();
  progress(0.4, "drawing the text");
  const margin = Math.round(Math.min(pixels.width, pixels.height) * MARGIN);
  const mark = await markFor(pixels, margin, context.parameters);
  await stamp(pixels, mark, placeOf(pixels, mark, margin, context.parameters.gravity));
  signal.throwIfAborted();
  const format = outputFormatOf(header.format);
  progress(0.5, `encoding ${format.toUpperCase()}`);
  const data = await encodePixels(pixels, format, FAITHFUL_QUALITY[format]);
  progress(0.95, "writing");
  const { width, height } = pixels;
  const { extension, mimeType } = OUTPUT_FILES[format];
  await output({ name: `watermarked.${extension}`, mimeType, width, height, data });
  progress(1, "done");
  return { width, height, format, ...(warnings.length > 0 && { warnings }) };
}

/** Share of the shorter side. */
const MARGIN = 0.02;
/** Share of the text's height. */
const SHADOW_OFFSET = 0.04;

/** Renders the text in the requested size, but within the margins. */
async function markFor(
  picture: Pixels,
  margin: number,
  { text, scale, opacity }: WatermarkParameters,
): Promise<Pixels> {
  const side = (length: number) =>
    Math.max(1, Math.floor(Math.min(length * scale, (length - 2 * margin) / (1 + SHADOW_OFFSET))));
  const glyphs = await renderText(text, {
    width: side(picture.width),
    height: side(picture.height),
  });
  const room = Math.min(picture.width - glyphs.width, picture.height - glyphs.height);
  return addShadow(glyphs, Math.min(room, Math.ceil(glyphs.height * SHADOW_OFFSET)), opacity);
}

function placeOf(
  picture: Pixels,
  mark: Pixels,
  margin: number,
  gravity: WatermarkParameters["gravity"],
) {
  const place = (all: number, part: number, first: boolean, last: boolean) => {
    const edge = Math.min(margin, Math.floor((all - part) / 2));
    if (first) return edge;
    return last ? all - part - edge : Math.floor((all - part) / 2);
  };
  return {
    left: place(picture.width, mark.width, gravity.endsWith("west"), gravity.endsWith("east")),
    top: place(
      picture.height,
      mark.height,
      gravity.startsWith("north"),
      gravity.startsWith("south"),
    ),
  };
}

/**
 * The font is a dependency, because a machine without fonts would render empty boxes without an
 * error.
 */
const FONT = fileURLToPath(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"));

/** Dots per inch for measuring a line, which is then about 40 pixels high. */
const MEASURED_AT = 300;
const MAX_DPI = 20_000;

/**
 * A line of white text on a transparent background, as large as fits into the box. Colour glyphs
 * keep their colours.
 */
async function renderText(text: string, box: { width: number; height: number }): Promise<Pixels> {
  const measured = await draw(text, MEASURED_AT);
  const factor = Math.min(box.width / measured.width, box.height / measured.height);
  // The text is drawn in the needed size, because enlarging it would blur it.
  const drawn =
    factor > 1 ? await draw(text, Math.min(MAX_DPI, Math.floor(MEASURED_AT * factor))) : measured;
  const { data, info } = await sharp(drawn.data, { raw: drawn })
    .resize({ ...box, fit: "inside" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: 4 };
}

/** No width or height is passed: with both, the library removes or breaks long words. */
async function draw(text: string, dpi: number): Promise<Pixels> {
  const markup = `<span foreground="white">${escapeMarkup(text)}</span>`;
  const { data, info } = await sharp({
    text: { text: markup, font: "DejaVu Sans", fontfile: FONT, rgba: true, dpi },
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: 4 };
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Pango parses markup, so user text must be escaped. */
function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/**
 * Draws a mark, which must fit into the picture, on `picture` at this place. Changes only the
 * pixels under the mark, in place.
 */
async function stamp(
  picture: Pixels,
  mark: Pixels,
  { left, top }: { left: number; top: number },
): Promise<void> {
  const { channels } = picture;
  const { data, width, height } = mark;
  // Only the area under the mark goes through the library: a second copy of a large photo would
  // take 300 MB.
  const below = Buffer.alloc(width * height * channels);
  const stride = width * channels;
  const rowAt = (row: number) => ((top + row) * picture.width + left) * channels;
  for (let row = 0; row < height; row++)
    picture.data.copy(below, row * stride, rowAt(row), rowAt(row) + stride);
  const overlay = { input: data, raw: { width, height, channels: mark.channels } };
  const stamped = fromPixels({ data: below, width, height, channels }).composite([overlay]);
  const marked = await toPixels(channels === 3 ? stamped.removeAlpha() : stamped);
  for (let row = 0; row < height; row++)
    marked.data.copy(picture.data, rowAt(row), row * stride, (row + 1) * stride);
}

/** Opacity of the shadow, 0 to 1. */
const SHADOW = 0.9;

/**
 * The glyphs over their black shadow, which is `offset` pixels to the right and below; the result
 * is larger by the offset. Both get the requested opacity. Pixels are not premultiplied, and
 * combined with the Porter-Duff operator "over".
 */
function addShadow(glyphs: Pixels, offset: number, opacity: number): Pixels {
  const [width, height] = [glyphs.width + offset, glyphs.height + offset];
  const data = Buffer.alloc(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const glyph = alphaAt(glyphs, x, y);
      const alpha = glyph + SHADOW * alphaAt(glyphs, x - offset, y - offset) * (1 - glyph);
      if (alpha === 0) continue;
      const at = 4 * (y * width + x);
      for (let channel = 0; channel < 3 && glyph > 0; channel++)
        data[at + channel] = Math.round(
          ((glyphs.data[4 * (y * glyphs.width + x) + channel] ?? 0) * glyph) / alpha,
        );
      data[at + 3] = Math.round(255 * opacity * alpha);
    }
  }
  return { data, width, height, channels: 4 };
}

function alphaAt({ data, width, height }: Pixels, x: number, y: number): number {
  if (x < 0 || y < 0 || x >= width || y >= height) return 0;
  return (data[4 * (y * width + x) + 3] ?? 0) / 255;
}
