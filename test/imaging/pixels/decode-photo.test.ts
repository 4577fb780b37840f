import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhotoTooLargeError, PhotoUnreadableError } from "../../../src/domain/errors.js";
import { decodePhoto, type DecodeOptions } from "../../../src/imaging/pixels/decode-photo.js";
import type { Pixels } from "../../../src/imaging/pixels/pixels.js";
import { sharp } from "../../../src/imaging/pixels/sharp.js";
import {
  quadrantsHeic,
  tiledHeic,
  twoPictureAvif,
  veiledHeic,
  withGarbage,
} from "../heif-files.js";
import { makeGif } from "../make-gif.js";
import { makePng } from "../make-png.js";
import { noise } from "../noise.js";
import { assertColor, assertQuadrants, quadrants, storedQuadrants } from "../quadrants.js";
import { temporaryFolder } from "../temporary-folder.js";

const folder = temporaryFolder();
const decode = (bytes: Uint8Array, options: Partial<DecodeOptions> = {}) =>
  decodePhoto(folder.write(bytes), { maxPixels: 100_000_000, ...options });

function pixelAt({ data, width, channels }: Pixels, x: number, y: number): number[] {
  const at = channels * (y * width + x);
  return [...data.subarray(at, at + channels)];
}

const asPng = ({ data, width, height, channels }: Pixels) =>
  sharp(data, { raw: { width, height, channels } }).png().toBuffer();

describe("decoding", () => {
  for (const format of ["jpeg", "png", "webp", "tiff"] as const) {
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
      it(`turns ${format} of orientation ${orientation} upright`, async () => {
        const { data, raw } = storedQuadrants(48, 24, orientation);
        const { pixels } = await decode(
          await sharp(data, { raw }).withMetadata({ orientation })[format]().toBuffer(),
        );
        assert.deepEqual([pixels.width, pixels.height, pixels.channels], [48, 24, 3]);
        await assertQuadrants(await asPng(pixels));
      });
    }
  }

  it("does not turn an AVIF twice whose container and EXIF both name a turn", async () => {
    const { data, raw } = storedQuadrants(48, 24, 6);
    const { pixels } = await decode(
      await sharp(data, { raw }).withMetadata({ orientation: 6 }).avif().toBuffer(),
    );
    assert.deepEqual([pixels.width, pixels.height], [48, 24]);
    await assertQuadrants(await asPng(pixels), 16);
  });

  it("shows the primary picture of a HEIC, turned once, in sRGB", async () => {
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

  it("shows the primary picture of an AVIF that has several", async () => {
    const { pixels } = await decode(twoPictureAvif());
    assert.equal(pixels.width, 64);
    await assertQuadrants(await asPng(pixels), 12);
  });

  it("scales down to lie within a box, and never up", async () => {
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

  it("brings wide-gamut colours to sRGB", async () => {
    const p3 = (
      await sharp({ create: { width: 1, height: 1, channels: 3, background: "#000" } })
        .withIccProfile("p3")
        .png()
        .toBuffer({ resolveWithObject: true })
    ).data;
    const { icc } = await sharp(p3).metadata();
    assert(icc);
    for (const stored of [
      [180, 120, 90],
      [90, 160, 110],
      [128, 128, 128],
    ] as const) {
      const { pixels } = await decode(
        makePng({
          width: 1,
          height: 1,
          colorType: 2,
          samples: Uint8Array.from(stored),
          iccProfile: icc,
        }),
      );
      assertColor(pixelAt(pixels, 0, 0), p3ToSrgb(stored), 2);
    }
  });

  it("brings CMYK to sRGB", async () => {
    // Colours that ink on paper reaches; an inverted or unconverted picture would be far off.
    for (const [r, g, b] of [
      [170, 120, 100],
      [100, 130, 150],
    ] as const) {
      const inks = await sharp({
        create: { width: 8, height: 8, channels: 3, background: { r, g, b } },
      })
        .toColourspace("cmyk")
        .jpeg({ quality: 95 })
        .toBuffer();
      assert.equal((await sharp(inks).metadata()).space, "cmyk");
      const { pixels } = await decode(inks);
      assertColor(pixelAt(pixels, 4, 4), [r, g, b], 8);
    }
  });

  it("brings 16 bits down to 8", async () => {
    const samples = Uint8Array.from([0xff, 0xff, 0x80, 0x00, 0x01, 0xff]);
    const { pixels } = await decode(
      makePng({ width: 1, height: 1, bitDepth: 16, colorType: 2, samples }),
    );
    assertColor(pixelAt(pixels, 0, 0), [255, 128, 1], 1);
  });

  it("makes three channels of grey, and four of grey with transparency", async () => {
    const grey = await decode(
      makePng({ width: 2, height: 1, colorType: 0, samples: Uint8Array.from([10, 200]) }),
    );
    assert.deepEqual(
      [pixelAt(grey.pixels, 0, 0), pixelAt(grey.pixels, 1, 0)],
      [
        [10, 10, 10],
        [200, 200, 200],
      ],
    );
    const veiled = await decode(
      makePng({ width: 1, height: 1, colorType: 4, samples: Uint8Array.from([77, 128]) }),
    );
    assert.deepEqual(pixelAt(veiled.pixels, 0, 0), [77, 77, 77, 128]);
  });

  it("brings 16 bits of grey down to 8, with and without transparency", async () => {
    const grey = await decode(
      makePng({
        width: 1,
        height: 1,
        bitDepth: 16,
        colorType: 0,
        samples: Uint8Array.from([0x80, 0x00]),
      }),
    );
    assertColor(pixelAt(grey.pixels, 0, 0), [128, 128, 128], 1);
    const veiled = await decode(
      makePng({
        width: 1,
        height: 1,
        bitDepth: 16,
        colorType: 4,
        samples: Uint8Array.from([0x4d, 0x00, 0x80, 0x00]),
      }),
    );
    assertColor(pixelAt(veiled.pixels, 0, 0), [77, 77, 77, 128], 1);
  });

  it("looks up the colours of a palette, and which of them are transparent", async () => {
    const { pixels } = await decode(
      makePng({
        width: 3,
        height: 1,
        colorType: 3,
        samples: Uint8Array.from([1, 0, 2]),
        palette: [
          [1, 2, 3, 255],
          [200, 30, 40, 255],
          [9, 8, 7, 0],
        ],
      }),
    );
    assert.deepEqual(
      [pixelAt(pixels, 0, 0), pixelAt(pixels, 1, 0), pixelAt(pixels, 2, 0)[3]],
      [[200, 30, 40, 255], [1, 2, 3, 255], 0],
    );
  });

  it("keeps transparency, and the colour beneath it", async () => {
    const { pixels } = await decode(
      makePng({ width: 1, height: 1, colorType: 6, samples: Uint8Array.from([250, 40, 30, 64]) }),
    );
    assert.deepEqual(pixelAt(pixels, 0, 0), [250, 40, 30, 64]);
  });

  it("takes the first frame of an animation, and says so", async () => {
    const { pixels, warnings } = await decode(
      makeGif([
        [200, 10, 20],
        [0, 255, 0],
      ]),
    );
    assertColor(pixelAt(pixels, 0, 0).slice(0, 3), [200, 10, 20], 0);
    assert.deepEqual(warnings, ["first frame of an animation"]);
  });

  it("takes the first page of a TIFF, and says so", async () => {
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

function damaged(error: unknown): boolean {
  assert(error instanceof PhotoUnreadableError, String(error));
  assert.equal(
    error.message,
    "The photo is damaged or cut off: its header is fine, but the picture cannot be " +
      "decoded. Upload the original file again.",
  );
  return true;
}

describe("decoding a damaged photo", () => {
  it("repairs a JPEG that lacks only its end marker, and says so", async () => {
    const whole = await noise(120, 80).jpeg().toBuffer();
    const [expected, repaired] = [await decode(whole), await decode(whole.subarray(0, -2))];
    assert.deepEqual(repaired.warnings, ["repaired: end marker missing"]);
    assert(repaired.pixels.data.equals(expected.pixels.data));
    assert.deepEqual(expected.warnings, []);
  });

  it("refuses a JPEG that is cut", async () => {
    const whole = await noise(120, 80).jpeg().toBuffer();
    for (const share of [0.3, 0.6, 0.95])
      await assert.rejects(decode(whole.subarray(0, whole.length * share)), damaged);
  });

  it("refuses a progressive JPEG that is cut", async () => {
    const whole = await noise(120, 80).jpeg({ progressive: true }).toBuffer();
    await assert.rejects(decode(whole.subarray(0, whole.length * 0.7)), damaged);
  });

  it("refuses a HEIC that is cut, and one whose coded picture is garbage", async () => {
    for (const file of [tiledHeic().subarray(0, -1), withGarbage(quadrantsHeic())])
      await assert.rejects(decode(file), damaged);
    // Here the cut has taken the EXIF block too, which the header's reader misses.
    await assert.rejects(
      decode(quadrantsHeic().subarray(0, -40)),
      (error) => error instanceof PhotoUnreadableError && /damaged or cut off/.test(error.message),
    );
  });

  it("refuses an AVIF that is cut", async () => {
    for (const file of [twoPictureAvif(), await noise(120, 80).avif({ effort: 0 }).toBuffer()])
      await assert.rejects(decode(file.subarray(0, -20)), damaged);
  });

  it("refuses a PNG that is cut, or that holds less than it promises", async () => {
    const whole = await noise(120, 80).png().toBuffer();
    await assert.rejects(decode(whole.subarray(0, whole.length * 0.6)), damaged);
    await assert.rejects(
      decode(makePng({ width: 500, height: 500, colorType: 2, samples: Buffer.alloc(1500) })),
      damaged,
    );
  });

  it("shows what can be read of a damaged photo, and says so", async () => {
    const whole = await quadrants(40, 20).jpeg({ quality: 95 }).toBuffer();
    const stuffed = Buffer.concat([whole.subarray(0, 20), Buffer.alloc(3), whole.subarray(20)]);
    const png = await quadrants(40, 20).png().toBuffer();
    // The last byte of the checksum of the pixels.
    png.writeUInt8(png.readUInt8(png.indexOf("IEND") - 5) ^ 1, png.indexOf("IEND") - 5);
    for (const file of [stuffed, png]) {
      const { pixels, warnings } = await decode(file);
      await assertQuadrants(await asPng(pixels));
      assert.deepEqual(warnings, ["damaged: parts of the picture may be wrong"]);
    }
  });

  it("takes a photo with a broken colour profile for sRGB, and says so", async () => {
    const whole = await quadrants(40, 20).jpeg({ quality: 95 }).toBuffer();
    const block = Buffer.concat([
      Buffer.from("\xff\xe2\x01\xa0ICC_PROFILE\0\x01\x01", "latin1"),
      Buffer.alloc(400, "no profile "),
    ]);
    const { pixels, warnings } = await decode(
      Buffer.concat([whole.subarray(0, 2), block, whole.subarray(2)]),
    );
    await assertQuadrants(await asPng(pixels));
    assert.deepEqual(warnings, ["ignored: the colour profile is broken"]);
  });

  it("takes a JPEG with something appended", async () => {
    const whole = await quadrants(40, 20).jpeg({ quality: 95 }).toBuffer();
    const { pixels, warnings } = await decode(
      Buffer.concat([whole, Buffer.from("PK\x03\x04 and more")]),
    );
    await assertQuadrants(await asPng(pixels));
    assert.deepEqual(warnings, []);
  });

  it("refuses what is too large before it decodes", async () => {
    await assert.rejects(
      decode(makePng({ width: 20_000, height: 20_000, colorType: 2, samples: Buffer.alloc(0) })),
      (error) => error instanceof PhotoTooLargeError && /400 megapixels/.test(error.message),
    );
  });
});

/**
 * CSS Color 4, section 10.8: both with sRGB's transfer curve, and the product of the matrices P3 →
 * XYZ → sRGB.
 */
function p3ToSrgb(color: readonly number[]): number[] {
  const linear = color.map((value) =>
    value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  );
  const matrix = [
    [1.22494, -0.22494, 0],
    [-0.042057, 1.042057, 0],
    [-0.019638, -0.078636, 1.098274],
  ];
  const mixed = matrix.map((row) =>
    row.reduce((sum, factor, index) => sum + factor * (linear[index] ?? 0), 0),
  );
  return mixed.map((value) =>
    Math.round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055)),
  );
}
