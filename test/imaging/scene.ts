import { sharp } from "../../src/imaging/pixels/pixels.js";
import { noise } from "./noise.js";

/**
 * Soft shapes, as photos have them: a few random pixels blown up. The same for the same seed,
 * another one for another.
 */
export async function scene(seed: number, width = 700, height = 500): Promise<Buffer> {
  return sharp(await noise(7, 5, seed).png().toBuffer())
    .resize(width, height, { kernel: "cubic", fit: "fill" })
    .png()
    .toBuffer();
}
