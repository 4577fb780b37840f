import { sharp } from "../../src/imaging/pixels/pixels.js";
import { noise } from "./noise.js";

/**
 * Soft shapes like in photos, made by enlarging a few random pixels. The same seed gives the same
 * picture.
 */
export async function scene(seed: number, width = 700, height = 500): Promise<Buffer> {
  return sharp(await noise(7, 5, seed).png().toBuffer())
    .resize(width, height, { kernel: "cubic", fit: "fill" })
    .png()
    .toBuffer();
}
