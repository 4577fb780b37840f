import { crc32, deflateSync } from "node:zlib";

interface PngOptions {
  width: number;
  height: number;
  bitDepth?: 8 | 16;
  /** 0 grey, 2 colour, 3 palette, 4 grey with alpha, 6 colour with alpha. */
  colorType: 0 | 2 | 3 | 4 | 6;
  /** Samples row by row, as the file stores them; may be too few. */
  samples: Uint8Array;
  iccProfile?: Buffer;
  /** Red, green, blue, alpha. */
  palette?: [number, number, number, number][];
}

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/**
 * A PNG built without a library, so that its content is exactly known (PNG specification, third
 * edition).
 */
export function makePng({
  width,
  height,
  bitDepth = 8,
  colorType,
  samples,
  iccProfile,
  palette = [],
}: PngOptions): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bitDepth, colorType, 0, 0, 0], 8);
  const stride = (width * CHANNELS[colorType] * bitDepth) / 8;
  const rows: Uint8Array[] = [];
  for (let at = 0; at < samples.length; at += stride)
    rows.push(Uint8Array.of(0), samples.subarray(at, at + stride));
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    ...(iccProfile
      ? [chunk("iCCP", Buffer.concat([Buffer.from("profile\0\0"), deflateSync(iccProfile)]))]
      : []),
    ...(palette.length > 0
      ? [
          chunk("PLTE", Buffer.from(palette.flatMap(([r, g, b]) => [r, g, b]))),
          chunk("tRNS", Buffer.from(palette.map(([, , , alpha]) => alpha))),
        ]
      : []),
    chunk("IDAT", deflateSync(Buffer.concat(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
