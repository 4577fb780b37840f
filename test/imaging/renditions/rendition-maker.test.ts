import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { decodePhoto } from "../../../src/imaging/pixels/decode-photo.js";
import { fromPixels, sharp } from "../../../src/imaging/pixels/pixels.js";
import { createRenditionMaker } from "../../../src/imaging/renditions/rendition-maker.js";
import type { RenditionFormat } from "../../../src/imaging/renditions/rendition-request.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { noise } from "../noise.js";
import { noSharedPhotos, sharedPhotos } from "../shared-photos.js";
import { temporaryFolder } from "../temporary-folder.js";

describe("a rendition maker", () => {
  const folder = temporaryFolder().path;
  const maker = createRenditionMaker({
    log: silentLog,
    children: 1,
    maxPixels: 100_000_000,
    memoryLimitBytes: 1.5 * 1024 ** 3,
  });
  after(() => maker.close());

  async function make(
    path: string,
    width: number,
    height: number,
    format: RenditionFormat,
  ): Promise<string> {
    const outputPath = join(folder, `${width}.${format}`);
    await maker.make({ path, width, height, format, outputPath });
    return outputPath;
  }
  /** Mean difference of the channels, from 0 to 255. */
  async function difference(one: string | Buffer, other: string | Buffer): Promise<number> {
    const [a, b] = await Promise.all(
      [one, other].map((file) => sharp(file).removeAlpha().raw().toBuffer()),
    );
    assert.ok(a && b && a.length === b.length && a.length > 0);
    return a.reduce((sum, value, at) => sum + Math.abs(value - (b[at] ?? 0)), 0) / a.length;
  }

  it("makes sizes and formats that look like the photo", async () => {
    const path = join(folder, "photo.png");
    await noise(400, 300).blur(3).toFile(path);
    for (const [width, height, format] of [
      [400, 300, "webp"],
      [256, 192, "jpeg"],
      [128, 96, "avif"],
    ] as const) {
      const file = await make(path, width, height, format);
      const distance = await difference(file, await sharp(path).resize(width).png().toBuffer());
      assert.ok(distance < 6, `${width} × ${height} differs by ${distance}`);
    }
  });

  it("converts Display P3 to sRGB", async () => {
    const path = join(folder, "p3.png");
    const pure = { width: 64, height: 64, channels: 3 as const, background: "#c04030" };
    await sharp({ create: pure }).withIccProfile("p3").png().toFile(path);
    const file = await make(path, 64, 64, "jpeg");
    const expected = await sharp(path).toColourspace("srgb").png().toBuffer();
    const distance = await difference(file, expected);
    assert.ok(distance < 1.5, `it differs by ${distance}`);
    const { icc, exif, xmp } = await sharp(file).metadata();
    assert.deepEqual([icc, exif, xmp], [undefined, undefined, undefined]);
  });

  it("keeps the colours of an iPhone's HEIC, upright", { skip: noSharedPhotos }, async () => {
    const path = join(sharedPhotos, "IMG_5195.HEIC");
    const { header, pixels } = await decodePhoto(path, { maxPixels: 100_000_000, width: 640 });
    const file = await make(path, 640, Math.round((640 * header.height) / header.width), "webp");
    const [expected, actual] = await Promise.all(
      [fromPixels(pixels).png().toBuffer(), file].map(async (picture) =>
        (await sharp(await picture).stats()).channels.map(({ mean }) => mean),
      ),
    );
    expected?.forEach((mean, channel) =>
      assert.ok(Math.abs(mean - (actual?.[channel] ?? 0)) <= 0.5, `${mean} ${actual?.join(" ")}`),
    );
  });

  it("refuses a damaged photo with its reason, and stays usable", async () => {
    const path = join(folder, "missing.jpg");
    await assert.rejects(make(path, 64, 64, "webp"));
    const good = join(folder, "good.jpg");
    await noise(100, 100).jpeg().toFile(good);
    await make(good, 64, 64, "webp");
  });
});
