import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sharp } from "../../../../src/imaging/pixels/pixels.js";
import { makePng } from "../../make-png.js";
import { assertColor } from "../../quadrants.js";
import { createDecode, pixelAt } from "./decode-bytes.js";

const decode = createDecode();

describe("decoding", () => {
  it("converts wide-gamut colours to sRGB", async () => {
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

  it("converts CMYK to sRGB", async () => {
    // Ink on paper can show these colours; an inverted or unconverted picture would differ much
    // more.
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

  it("converts 16 bits to 8", async () => {
    const samples = Uint8Array.from([0xff, 0xff, 0x80, 0x00, 0x01, 0xff]);
    const { pixels } = await decode(
      makePng({ width: 1, height: 1, bitDepth: 16, colorType: 2, samples }),
    );
    assertColor(pixelAt(pixels, 0, 0), [255, 128, 1], 1);
  });

  it("converts grey to three channels, and grey with transparency to four", async () => {
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

  it("converts 16 bits of grey to 8, with and without transparency", async () => {
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

  it("resolves the colours of a palette, including transparent ones", async () => {
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

  it("keeps transparency, and the colour of transparent pixels", async () => {
    const { pixels } = await decode(
      makePng({ width: 1, height: 1, colorType: 6, samples: Uint8Array.from([250, 40, 30, 64]) }),
    );
    assert.deepEqual(pixelAt(pixels, 0, 0), [250, 40, 30, 64]);
  });
});

/**
 * CSS Color 4, section 10.8: both spaces have sRGB's transfer curve, and the matrix is the product
 * P3 → XYZ → sRGB.
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
