import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhotoUnreadableError } from "../../src/domain/errors.js";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { palette } from "../../src/tasks/palette/task.js";
import { makeGif } from "../imaging/make-gif.js";
import { makePng } from "../imaging/make-png.js";
import { noise } from "../imaging/noise.js";
import { assertColor } from "../imaging/quadrants.js";
import { scene } from "../imaging/scene.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runTask } from "./run-task.js";

type Rgb = [number, number, number];

const folder = temporaryFolder();
const run = async (bytes: Uint8Array, colors?: number) =>
  (await runTask(palette, folder.write(bytes), colors === undefined ? {} : { colors })).result;
const rgbOf = (hex: string) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** Vertical stripes with these widths and colours. */
function stripes(
  height: number,
  ...parts: [width: number, color: Rgb][]
): { width: number; height: number; samples: Buffer } {
  const row = parts.flatMap(([width, color]) => Array.from({ length: width }, () => color).flat());
  return {
    width: row.length / 3,
    height,
    samples: Buffer.from(Array.from({ length: height }, () => row).flat()),
  };
}
const png = (picture: ReturnType<typeof stripes>) => makePng({ ...picture, colorType: 2 });
const jpeg = ({ samples, width, height }: ReturnType<typeof stripes>) =>
  sharp(samples, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();

describe("a palette", () => {
  const SEA: Rgb = [20, 80, 160];
  const SAND: Rgb = [210, 180, 120];
  const SUN: Rgb = [240, 90, 30];
  const areas = stripes(300, [500, SEA], [300, SAND], [200, SUN]);

  for (const [precision, bytes, tolerance] of [
    ["exactly for a lossless picture", async () => png(areas), 1],
    ["closely for a JPEG", () => jpeg(areas), 4],
  ] as const) {
    it(`has the colours and shares of three areas, ${precision}`, async () => {
      const { dominant, swatches } = await run(await bytes(), 3);
      assert.equal(swatches.length, 3);
      for (const [index, [color, part]] of (
        [
          [SEA, 0.5],
          [SAND, 0.3],
          [SUN, 0.2],
        ] as const
      ).entries()) {
        assertColor(rgbOf(swatches[index]?.hex ?? ""), color, tolerance, `swatch ${index}`);
        assert(
          Math.abs((swatches[index]?.population ?? 0) - part) < 0.02,
          JSON.stringify(swatches),
        );
      }
      assert.equal(dominant, swatches[0]?.hex);
    });
  }

  it("has the colour of a small area before several shades of a large one", async () => {
    const sky = Array.from({ length: 90 }, (_, n): [number, Rgb] => [
      1,
      [90 + n, 140 + Math.round(n / 2), 220],
    ]);
    const { swatches } = await run(png(stripes(60, ...sky, [10, [230, 30, 40]])), 4);
    const red = swatches.find(
      ({ hex }) => (rgbOf(hex)[0] ?? 0) > 200 && (rgbOf(hex)[2] ?? 0) < 100,
    );
    assert(red && Math.abs(red.population - 0.1) < 0.01, JSON.stringify(swatches));
  });

  it("groups colours by human perception, not by their numbers", async () => {
    // In RGB the two dark colours are the nearest pair (69, the light ones 78). In OKLab the light
    // ones are (0.15, the dark ones 0.28).
    const { swatches } = await run(
      png(
        stripes(
          40,
          [25, [0, 0, 0]],
          [25, [40, 40, 40]],
          [25, [255, 255, 255]],
          [25, [200, 200, 255]],
        ),
      ),
      3,
    );
    const [light, ...dark] = swatches;
    assert.deepEqual(dark.map(({ hex }) => hex).sort(), ["#000000", "#282828"]);
    assert.equal(light?.population, 0.5);
    assertColor(rgbOf(light?.hex ?? ""), [227, 227, 255], 5);
  });

  it("has one swatch with exactly its colour for a flat picture", async () => {
    for (const [color, hex] of [
      [[255, 0, 0], "#ff0000"],
      [[0, 0, 0], "#000000"],
      [[255, 255, 255], "#ffffff"],
      [[18, 52, 86], "#123456"],
    ] as [Rgb, string][]) {
      assert.deepEqual(await run(png(stripes(20, [30, color]))), {
        dominant: hex,
        swatches: [{ hex, population: 1 }],
      });
    }
  });

  it("has the requested number of colours, by shares that sum to 1", async () => {
    const bytes = await noise(60, 60).png().toBuffer();
    for (const colors of [2, 5, 12]) {
      const { swatches } = await run(bytes, colors);
      const populations = swatches.map(({ population }) => population);
      assert.equal(new Set(swatches.map(({ hex }) => hex)).size, colors);
      assert.deepEqual(
        populations,
        populations.toSorted((a, b) => b - a),
      );
      assert(Math.abs(populations.reduce((sum, part) => sum + part, 0) - 1) < 1e-9);
    }
    assert.equal((await run(bytes)).swatches.length, 5);
  });

  it("is the same for each run", async () => {
    const bytes = await noise(300, 200, 7).jpeg().toBuffer();
    assert.equal(JSON.stringify(await run(bytes, 8)), JSON.stringify(await run(bytes, 8)));
  });

  it("weights pixels by opacity, and is black for a fully transparent picture", async () => {
    const rgba = (...pixels: number[][]) =>
      makePng({
        width: pixels.length,
        height: 1,
        colorType: 6,
        samples: Uint8Array.from(pixels.flat()),
      });
    const { swatches } = await run(rgba([255, 0, 0, 255], [0, 0, 255, 51], [0, 255, 0, 0]));
    assert.deepEqual(
      swatches.map(({ hex, population }) => [hex, Math.round(population * 1000)]),
      [
        ["#ff0000", 833],
        ["#0000ff", 167],
      ],
    );
    assert.deepEqual(await run(rgba([255, 0, 0, 0])), {
      dominant: "#000000",
      swatches: [{ hex: "#000000", population: 1 }],
    });
  });

  it("contains only colours that are in the photo", async () => {
    const path = folder.write(
      await sharp(await scene(3))
        .jpeg()
        .toBuffer(),
    );
    const { result } = await runTask(palette, path, {});
    const { data } = await sharp(path).resize(100).raw().toBuffer({ resolveWithObject: true });
    const pixels = Array.from({ length: data.length / 3 }, (_, at) => [
      ...data.subarray(3 * at, 3 * at + 3),
    ]);
    for (const { hex } of result.swatches)
      assert(
        pixels.some((pixel) =>
          pixel.every((value, channel) => Math.abs(value - (rgbOf(hex)[channel] ?? 0)) < 16),
        ),
        hex,
      );
  });

  it("reports its steps and the decoder's warnings, and rejects other files", async () => {
    const { steps, result } = await runTask(
      palette,
      folder.write(
        makeGif([
          [9, 9, 9],
          [200, 0, 0],
        ]),
      ),
      {},
    );
    assert.deepEqual(steps, [
      [0, "decoding"],
      [0.5, "grouping the colours"],
      [1, "done"],
    ]);
    assert.deepEqual(
      [result.dominant, result.warnings],
      ["#090909", ["first frame of an animation"]],
    );
    await assert.rejects(
      run(Buffer.from("%PDF-1.7")),
      (error) => error instanceof PhotoUnreadableError && /PDF/.test(error.message),
    );
  });

  it("accepts only 2 to 12 colours", () => {
    assert.deepEqual(palette.parameters.parse({}), { colors: 5 });
    for (const input of [{ colors: 1 }, { colors: 13 }, { colors: 2.5 }, { count: 3 }])
      assert.equal(palette.parameters.safeParse(input).success, false, JSON.stringify(input));
  });
});
