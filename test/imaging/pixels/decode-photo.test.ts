import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { quadrantsHeic, twoPictureAvif, veiledHeic } from "../heif-files.js";
import { makeGif } from "../make-gif.js";
import { assertColor, assertQuadrants, quadrants, storedQuadrants } from "../quadrants.js";
import { asPng, createDecode, pixelAt } from "./decode-photo/decode-bytes.js";

const decode = createDecode();

describe("decoding", () => {
  for (const format of ["jpeg", "png", "webp", "tiff"] as const) {
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      it(`rotates ${format} of orientation ${orientation} upright`, async () => {
        const { data, raw } = storedQuadrants(48, 24, orientation);
        const { pixels } = await decode(
          await sharp(data, { raw }).withMetadata({ orientation })[format]().toBuffer(),
        );
        assert.deepEqual([pixels.width, pixels.height, pixels.channels], [48, 24, 3]);
        await assertQuadrants(await asPng(pixels));
      });
    }
  }

  it("does not rotate an AVIF twice when container and EXIF both name a rotation", async () => {
    const { data, raw } = storedQuadrants(48, 24, 6);
    const { pixels } = await decode(
      await sharp(data, { raw }).withMetadata({ orientation: 6 }).avif().toBuffer(),
    );
    assert.deepEqual([pixels.width, pixels.height], [48, 24]);
    await assertQuadrants(await asPng(pixels), 16);
  });

  it("returns the primary picture of a HEIC, rotated once, in sRGB", async () => {
    const { header, pixels, warnings } = await decode(quadrantsHeic());
    assert.deepEqual(
      [header.format, pixels.width, pixels.height, pixels.channels, warnings],
      ["heic", 96, 64, 3, []],
    );
    await assertQuadrants(await asPng(pixels), 10);
    const small = (await decode(quadrantsHeic(), { width: 48 })).pixels;
    assert.deepEqual([small.width, small.height], [48, 32]);
    await assertQuadrants(await asPng(small), 10);
  });

  it("keeps the transparency of a HEIC", async () => {
    const { pixels } = await decode(veiledHeic());
    assertColor(pixelAt(pixels, 16, 16), [220, 30, 40, 64], 10);
  });

  it("returns the primary picture of an AVIF with several", async () => {
    const { pixels } = await decode(twoPictureAvif());
    assert.equal(pixels.width, 64);
    await assertQuadrants(await asPng(pixels), 12);
  });

  it("scales down to fit into a box, and never up", async () => {
    const bytes = await quadrants(80, 40).png().toBuffer();
    const sizes = [];
    for (const options of [{ width: 40 }, { width: 30, height: 10 }, { width: 500 }, {}]) {
      const { pixels } = await decode(bytes, options);
      sizes.push([pixels.width, pixels.height]);
    }
    assert.deepEqual(sizes, [
      [40, 20],
      [20, 10],
      [80, 40],
      [80, 40],
    ]);
  });

  it("returns the first frame of an animation, with a warning", async () => {
    const { pixels, warnings } = await decode(
      makeGif([
        [200, 10, 20],
        [0, 255, 0],
      ]),
    );
    assertColor(pixelAt(pixels, 0, 0).slice(0, 3), [200, 10, 20], 0);
    assert.deepEqual(warnings, ["first frame of an animation"]);
  });

  it("returns the first page of a TIFF, with a warning", async () => {
    const pages = await Promise.all(
      ["#c80a14", "#00ff00"].map((background) =>
        sharp({ create: { width: 4, height: 4, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const { pixels, warnings } = await decode(
      await sharp(pages, { join: { animated: true } })
        .tiff({ compression: "deflate" })
        .toBuffer(),
    );
    assert.equal(pixels.height, 4);
    assertColor(pixelAt(pixels, 0, 0).slice(0, 3), [200, 10, 20], 0);
    assert.deepEqual(warnings, ["first page of a document"]);
  });
});
