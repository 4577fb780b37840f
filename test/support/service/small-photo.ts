import { randomBytes } from "node:crypto";
import { makePng } from "../../imaging/make-png.js";

/** A PNG of a few hundred bytes with random pixels, so that it is never a duplicate. */
export function smallPhoto(width = 8, height = 8): Buffer {
  return makePng({ width, height, colorType: 2, samples: randomBytes(width * height * 3) });
}
