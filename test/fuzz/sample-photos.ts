import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { quadrantsHeic, tiledHeic, twoPictureAvif, veiledHeic } from "../imaging/heif-files.js";
import { makeGif } from "../imaging/make-gif.js";
import { noise } from "../imaging/noise.js";
import { noSharedPhotos, sharedPhotos } from "../imaging/shared-photos.js";

export interface SamplePhoto {
  name: string;
  bytes: Buffer;
}

/** Real photos, if a folder of them exists beside the checkout. */
export function realPhotos(): SamplePhoto[] {
  if (noSharedPhotos !== false) return [];
  const names = readdirSync(sharedPhotos)
    .filter((name) => /\.(jpe?g|heic)$/i.test(name))
    .toSorted();
  return names.map((name) => ({ name, bytes: readFileSync(join(sharedPhotos, name)) }));
}

/** Small generated photos of every accepted format, including rare kinds; always the same. */
export async function madePhotos(): Promise<SamplePhoto[]> {
  const picture = () => noise(160, 120).blur(2);
  const withTags = () =>
    picture().withExif({
      IFD0: { Make: "Maker", Copyright: "Ann", Orientation: "6" },
      IFD3: { GPSLatitudeRef: "N", GPSLatitude: "48/1 51/1 30/1" },
    });
  const photos: [name: string, bytes: Buffer | Promise<Buffer>][] = [
    ["made.jpg", withTags().withIccProfile("p3").jpeg().toBuffer()],
    ["progressive.jpg", withTags().jpeg({ progressive: true }).toBuffer()],
    ["grey.jpg", picture().greyscale().jpeg().toBuffer()],
    ["cmyk.jpg", picture().toColourspace("cmyk").jpeg().toBuffer()],
    ["made.png", withTags().withIccProfile("p3").png().toBuffer()],
    ["palette.png", picture().png({ palette: true }).toBuffer()],
    ["sixteen-bits.png", picture().toColourspace("rgb16").png().toBuffer()],
    ["interlaced.png", picture().ensureAlpha(0.5).png({ progressive: true }).toBuffer()],
    ["made.webp", withTags().webp().toBuffer()],
    ["lossless.webp", picture().ensureAlpha(0.5).webp({ lossless: true }).toBuffer()],
    ["made.gif", picture().gif().toBuffer()],
    [
      "animation.gif",
      makeGif(
        [
          [200, 10, 20],
          [0, 255, 0],
          [0, 0, 255],
        ],
        4,
      ),
    ],
    ["made.avif", withTags().avif({ effort: 0 }).toBuffer()],
    ["two-pictures.avif", twoPictureAvif()],
    ["deflate.tiff", withTags().tiff({ compression: "deflate" }).toBuffer()],
    ["lzw.tiff", picture().tiff({ compression: "lzw", tile: true }).toBuffer()],
    ["made.heic", quadrantsHeic()],
    ["veiled.heic", veiledHeic()],
    ["tiles.heic", tiledHeic()],
  ];
  return Promise.all(photos.map(async ([name, bytes]) => ({ name, bytes: await bytes })));
}
