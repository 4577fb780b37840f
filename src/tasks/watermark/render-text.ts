import { fileURLToPath } from "node:url";
import type { Pixels } from "../../imaging/pixels/pixels.js";
import { sharp } from "../../imaging/pixels/sharp.js";

/**
 * Brought along: a machine may have no fonts at all, and then there would be no error, only empty
 * boxes.
 */
const FONT = fileURLToPath(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"));

/** Dots per inch at which a line is measured; it is about 40 pixels high then. */
const MEASURED_AT = 300;
const MOST_DPI = 20_000;

/**
 * A line of text in white on transparent, as large as fits into the box; glyphs with colours of
 * their own keep them.
 */
export async function renderText(
  text: string,
  box: { width: number; height: number },
): Promise<Pixels> {
  const measured = await draw(text, MEASURED_AT);
  const factor = Math.min(box.width / measured.width, box.height / measured.height);
  // Drawn at the size it is needed at, not blown up from a smaller one.
  const drawn =
    factor > 1 ? await draw(text, Math.min(MOST_DPI, Math.floor(MEASURED_AT * factor))) : measured;
  const { data, info } = await sharp(drawn.data, { raw: drawn })
    .resize({ ...box, fit: "inside" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: 4 };
}

/**
 * Neither width nor height is given: with both, the library would make long words vanish or break
 * them.
 */
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

/** Pango reads markup, in which a stranger's text must be nothing but text. */
function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
