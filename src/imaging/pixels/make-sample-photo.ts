import { sharp } from "./pixels.js";

/**
 * A generated JPEG, of 12 megapixels unless a width is given: hills under an evening sky. It is stored rotated, as phones do
 * (EXIF orientation 6).
 */
export async function makeSamplePhoto(width = 3024): Promise<Buffer> {
  const height = Math.round((width * 4) / 3);
  const upright = await sharp(paintHills(400, 533), {
    raw: { width: 400, height: 533, channels: 3 },
  })
    .resize(width, height, { kernel: "cubic" })
    .raw()
    .toBuffer();
  return sharp(upright, { raw: { width, height, channels: 3 } })
    .rotate(-90)
    .withExif({
      IFD0: { Make: "Photo Service", Model: "Demo" },
      IFD2: { DateTimeOriginal: "2026:11:24 17:30:00", OffsetTimeOriginal: "+01:00" },
      IFD3: {
        GPSLatitudeRef: "N",
        GPSLatitude: "48/1 51/1 30/1",
        GPSLongitudeRef: "E",
        GPSLongitude: "2/1 17/1 40/1",
      },
    })
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** Paints three ridges, each darker than the one behind it, below a sky from blue to orange. */
function paintHills(width: number, height: number): Buffer {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const ridge = [0.62, 0.74, 0.88].findLastIndex(
        (base, i) => y / height > base + 0.06 * Math.sin(x / (40 - 8 * i) + i * 2),
      );
      const dusk = y / height;
      const colour =
        ridge < 0
          ? [60 + 180 * dusk, 90 + 70 * dusk, 170 - 90 * dusk]
          : [90 - 28 * ridge, 70 - 20 * ridge, 110 - 34 * ridge];
      pixels.set(colour, (y * width + x) * 3);
    }
  }
  return pixels;
}
