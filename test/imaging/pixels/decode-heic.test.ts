import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { decodeHeic } from "../../../src/imaging/pixels/decode-heic.js";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { quadrantsHeic, tiledHeic, veiledHeic, withGarbage } from "../heif-files.js";
import { assertColor, assertQuadrants } from "../quadrants.js";
import { noSharedPhotos, sharedPhotos } from "../shared-photos.js";

const profileOf = async (file: Buffer | string) => (await sharp(file).metadata()).icc ?? null;

describe("decoding HEIC", () => {
  it("returns the primary picture, upright, with its profile", async () => {
    const profile = await profileOf(quadrantsHeic());
    assert(profile && profile.length > 400);
    const tiff = await decodeHeic(quadrantsHeic(), profile);
    const { format, width, height, channels, icc, orientation } = await sharp(tiff).metadata();
    assert.deepEqual([format, width, height, channels, orientation], ["tiff", 96, 64, 3, 1]);
    assert(icc?.equals(profile));
    await assertQuadrants(await sharp(tiff).png().toBuffer(), 10);
    // Without its profile, the red of Display P3 (202, 54, 50) would be interpreted as sRGB.
    const pale = await sharp(await decodeHeic(quadrantsHeic(), null))
      .raw()
      .toBuffer();
    assertColor([...pale.subarray(0, 3)], [202, 54, 50], 10);
  });

  it("keeps transparency", async () => {
    const { data, info } = await sharp(await decodeHeic(veiledHeic(), null))
      .raw()
      .toBuffer({ resolveWithObject: true });
    assert.equal(info.channels, 4);
    const pixel = (x: number, y: number) => [
      ...data.subarray(4 * (64 * y + x), 4 * (64 * y + x) + 4),
    ];
    assertColor(pixel(16, 16), [220, 30, 40, 64], 10);
    assertColor(pixel(48, 48), [230, 210, 40, 255], 10);
  });

  it("joins tiles", async () => {
    await assertQuadrants(
      await sharp(await decodeHeic(tiledHeic(), null))
        .png()
        .toBuffer(),
      14,
    );
  });

  it("fails with the decoder's message, and still decodes the next photo", async () => {
    await assert.rejects(decodeHeic(Buffer.from("no HEIC at all"), null), /^Error: Invalid input/);
    await assert.rejects(decodeHeic(withGarbage(quadrantsHeic()), null), Error);
    assert.equal((await sharp(await decodeHeic(tiledHeic(), null)).metadata()).width, 128);
  });

  it(
    "decodes an iPhone's photo in the size of its header, with its profile",
    { skip: noSharedPhotos },
    async () => {
      const path = `${sharedPhotos}IMG_5195.HEIC`;
      const file = readFileSync(path);
      const { width, height, icc } = await sharp(path).metadata();
      const decoded = await sharp(await decodeHeic(file, icc ?? null)).metadata();
      assert.deepEqual(
        [decoded.width, decoded.height, decoded.icc?.equals(icc ?? Buffer.alloc(0))],
        [width, height, true],
      );
    },
  );
});
