import { sharp } from "./pixels.js";

/**
 * Draws the picture as lines of text, two pixels per character, in true colour. Rejects when the
 * bytes are not a picture.
 */
export async function renderHalfBlocks(bytes: Uint8Array, columns: number): Promise<string> {
  const { data, info } = await sharp(bytes)
    .rotate()
    .flatten({ background: "#808080" })
    .toColourspace("srgb")
    .resize(columns, columns, { fit: "inside" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const colourAt = (x: number, y: number) =>
    Array.from(data.subarray((y * info.width + x) * info.channels).subarray(0, 3)).join(";");
  const lines = Array.from({ length: Math.floor(info.height / 2) }, (_, row) => {
    const cells = Array.from(
      { length: info.width },
      (__, x) => `\u001b[38;2;${colourAt(x, 2 * row)};48;2;${colourAt(x, 2 * row + 1)}m▀`,
    );
    return `  ${cells.join("")}\u001b[0m\n`;
  });
  return lines.join("");
}
