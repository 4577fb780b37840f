import { randomBytes } from "node:crypto";
import sharp from "sharp";

const WIDTH = 4000;
const HEIGHT = 3000;

/**
 * Makes JPEGs of 12 megapixels with smooth gradients and sensor-like noise. All have the same
 * pixels, but different comments, so that none is a duplicate.
 */
export async function makeSamplePhotos(count: number): Promise<Buffer[]> {
  const picture = await sharp(paint(), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();
  return Array.from({ length: count }, () => withComment(picture, randomBytes(16)));
}

/** Makes a JPEG of a third of a megapixel, with enough noise to take time to decode. */
export function makeSmallPhoto(): Promise<Buffer> {
  return sharp({
    create: {
      width: 640,
      height: 480,
      channels: 3,
      background: "#346",
      noise: { type: "gaussian", mean: 128, sigma: 30 },
    },
  })
    .jpeg()
    .toBuffer();
}

function paint(): Buffer {
  const pixels = Buffer.allocUnsafe(WIDTH * HEIGHT * 3);
  let state = 0x9e3779b9;
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++, at += 3) {
      // xorshift32: the same noise every time.
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const noise = ((state >>> 8) & 31) - 16;
      const wave = 40 * Math.sin(x / 37) * Math.cos(y / 53);
      pixels[at] = clamp((255 * x) / WIDTH + wave + noise);
      pixels[at + 1] = clamp((255 * y) / HEIGHT - wave + noise);
      pixels[at + 2] = clamp(255 * (1 - (x + y) / (WIDTH + HEIGHT)) + wave / 2 + noise);
    }
  }
  return pixels;
}

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value));
}

/** Inserts a COM segment directly after the start of the image. */
export function withComment(jpeg: Buffer, comment: Buffer): Buffer {
  const head = Buffer.from([0xff, 0xfe, 0, comment.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, comment, jpeg.subarray(2)]);
}
