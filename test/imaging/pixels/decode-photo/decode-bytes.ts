import { decodePhoto, type DecodeOptions } from "../../../../src/imaging/pixels/decode-photo.js";
import { type Pixels, sharp } from "../../../../src/imaging/pixels/pixels.js";
import { temporaryFolder } from "../../temporary-folder.js";

/** Returns a function that decodes a photo from bytes, for the tests of one file. */
export function createDecode() {
  const folder = temporaryFolder();
  return (bytes: Uint8Array, options: Partial<DecodeOptions> = {}) =>
    decodePhoto(folder.write(bytes), { maxPixels: 100_000_000, ...options });
}

export function pixelAt({ data, width, channels }: Pixels, x: number, y: number): number[] {
  const at = channels * (y * width + x);
  return [...data.subarray(at, at + channels)];
}

export const asPng = ({ data, width, height, channels }: Pixels) =>
  sharp(data, { raw: { width, height, channels } }).png().toBuffer();
