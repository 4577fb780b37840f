import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhotoUnreadableError } from "../../src/domain/errors.js";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { crop } from "../../src/tasks/crop/task.js";
import { makeGif } from "../imaging/make-gif.js";
import { makePng } from "../imaging/make-png.js";
import { assertQuadrants, quadrants, storedQuadrants } from "../imaging/quadrants.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runTask } from "./run-task.js";

const folder = temporaryFolder();
type Input = Parameters<typeof runTask<typeof crop.parameters, typeof crop.result>>[2];
const run = (bytes: Uint8Array, input: Input = {}) => runTask(crop, folder.write(bytes), input);

/** A PNG in which each pixel contains its position. */
function map(width: number, height: number): Buffer {
  const pixelAt = (x: number, y: number) => [x & 255, y & 255, (x >> 8) | ((y >> 8) << 4)];
  return makePng({
    width,
    height,
    colorType: 2,
    samples: Buffer.from(
      Array.from({ length: width * height }, (_, at) =>
        pixelAt(at % width, Math.floor(at / width)),
      ).flat(),
    ),
  });
}

async function placeOf(file: Buffer | undefined, x: number, y: number): Promise<[number, number]> {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  const [red = 0, green = 0, blue = 0] = data.subarray(info.channels * (info.width * y + x));
  return [red | ((blue & 15) << 8), green | ((blue >> 4) << 8)];
}

/** A grey picture with one striking shape, whose centre is at `x`, `y`. */
async function thing(width: number, height: number, x: number, y: number): Promise<Buffer> {
  const radius = 40;
  const data = Buffer.alloc(width * height * 3, 128);
  for (let row = y - radius; row < y + radius; row++) {
    for (let column = x - radius; column < x + radius; column++) {
      if (Math.hypot(row - y, column - x) > radius) continue;
      data.set(
        (row + column) % 16 < 8 ? [230, 40, 30] : [240, 200, 40],
        3 * (row * width + column),
      );
    }
  }
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

describe("crop parameters", () => {
  it("default to a square around the most striking part", () => {
    assert.deepEqual(crop.parameters.parse({}), { ratios: ["1:1"], strategy: "attention" });
  });

  it("are rejected outside their limits, and when they are unknown", () => {
    const ratios = [
      "",
      "1",
      "16/9",
      "0:1",
      "1:0",
      "-1:2",
      "1:1:1",
      "0.0:1",
      "10000:1",
      "1: 1",
      "a:b",
      "1:1\n",
    ].map((ratio) => ({ ratios: [ratio] }));
    for (const input of [
      ...ratios,
      { ratios: [] },
      { ratios: Array.from({ length: 11 }, (_, n) => `${n + 1}:1`) },
      { strategy: "face" },
      { width: 15 },
      { width: 4097 },
      { width: 20.5 },
      { height: 100 },
    ]) {
      assert.equal(crop.parameters.safeParse(input).success, false, JSON.stringify(input));
    }
    assert.deepEqual(
      crop.parameters
        .safeParse({ ratios: ["1:1", "2:1", "1:1"] })
        .error?.issues.map(({ path, message }) => [path, message]),
      [[["ratios"], "contains a ratio twice"]],
    );
    assert.deepEqual(
      crop.parameters
        .safeParse({ ratios: ["x"] })
        .error?.issues.map(({ path, message }) => [path, message]),
      [[["ratios", 0], "is not a ratio of width to height such as 16:9"]],
    );
    assert.equal(
      crop.parameters.safeParse({ ratios: ["1.91:1", "0.5:1", "9999:1"] }).success,
      true,
    );
  });
});

describe("crops", () => {
  const boxes: [
    width: number,
    height: number,
    ratio: string,
    box: [left: number, top: number, width: number, height: number],
  ][] = [
    [600, 400, "1:1", [100, 0, 400, 400]],
    [400, 600, "1:1", [0, 100, 400, 400]],
    [600, 400, "3:2", [0, 0, 600, 400]],
    [600, 400, "16:9", [0, 31, 600, 338]],
    [600, 400, "9:16", [187, 0, 225, 400]],
    [600, 400, "1.91:1", [0, 43, 600, 314]],
    [601, 401, "1:1", [100, 0, 401, 401]],
    [600, 400, "9999:1", [0, 199, 600, 1]],
    [7, 3, "1:1", [2, 0, 3, 3]],
    [1, 1, "16:9", [0, 0, 1, 1]],
  ];
  for (const [width, height, ratio, [left, top, boxWidth, boxHeight]] of boxes) {
    it(`of ${ratio} from ${width} × ${height} are the largest centred box`, async () => {
      const { result, files } = await run(map(width, height), {
        ratios: [ratio],
        strategy: "center",
      });
      assert.deepEqual(result, {
        crops: [{ ratio, left, top, width: boxWidth, height: boxHeight }],
      });
      const [file] = files.values();
      const { width: fileWidth, height: fileHeight } = await sharp(file).metadata();
      assert.deepEqual([fileWidth, fileHeight], [boxWidth, boxHeight]);
      assert.deepEqual(
        [await placeOf(file, 0, 0), await placeOf(file, boxWidth - 1, boxHeight - 1)],
        [
          [left, top],
          [left + boxWidth - 1, top + boxHeight - 1],
        ],
      );
    });
  }

  for (const strategy of ["attention", "entropy"] as const) {
    for (const [width, height, x, y] of [
      [1200, 400, 1000, 200],
      [1200, 400, 150, 200],
      [1200, 400, 700, 250],
      [400, 1200, 200, 1050],
      [3000, 900, 2500, 450],
    ] as const) {
      it(`by ${strategy} contain the shape at ${x}, ${y} of ${width} × ${height}`, async () => {
        const { result, files } = await run(await thing(width, height, x, y), { strategy });
        const { left = 0, top = 0, width: side = 0, height: other = 0 } = result.crops[0] ?? {};
        assert.deepEqual([side, other], [Math.min(width, height), Math.min(width, height)]);
        assert(
          left >= 0 && top >= 0 && left + side <= width && top + side <= height,
          JSON.stringify(result),
        );
        assert(
          left <= x - 38 && x + 38 <= left + side && top <= y - 38 && y + 38 <= top + side,
          JSON.stringify(result),
        );
        const { data, info } = await sharp([...files.values()][0])
          .raw()
          .toBuffer({ resolveWithObject: true });
        const at = info.channels * (info.width * (y - top) + x - left);
        assert(
          (data[at] ?? 0) > 200 && (data[at + 2] ?? 0) < 100,
          "the box is not where the picture was cut",
        );
      });
    }
  }

  it("are one output per ratio, in order, with their sizes and types", async () => {
    const { result, outputs, files } = await run(map(600, 400), {
      ratios: ["16:9", "1:1", "0.8:1"],
      strategy: "center",
    });
    assert.deepEqual(
      result.crops.map(({ ratio }) => ratio),
      ["16:9", "1:1", "0.8:1"],
    );
    const byteSizes = [...files.values()].map((file) => file.length);
    assert.deepEqual(
      outputs,
      [
        ["16x9.png", 600, 338],
        ["1x1.png", 400, 400],
        ["0.8x1.png", 320, 400],
      ].map(([name, width, height], at) => ({
        name,
        mimeType: "image/png",
        byteSize: byteSizes[at],
        width,
        height,
      })),
    );
  });

  it("are scaled down to the requested width, never up, with an unscaled box", async () => {
    const bytes = await quadrants(600, 400).png().toBuffer();
    for (const [width, size] of [
      [100, 100],
      [399, 399],
      [400, 400],
      [1000, 400],
    ] as const) {
      const { result, outputs, files } = await run(bytes, { width, strategy: "center" });
      assert.deepEqual(result.crops, [
        { ratio: "1:1", left: 100, top: 0, width: 400, height: 400 },
      ]);
      assert.deepEqual(
        outputs.map((output) => [output.width, output.height]),
        [[size, size]],
      );
      const [file = Buffer.alloc(0)] = files.values();
      assert.equal((await sharp(file).metadata()).width, size);
      await assertQuadrants(file, 16);
    }
  });

  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it(`have upright boxes and no metadata for orientation ${orientation}`, async () => {
      const { data, raw } = storedQuadrants(120, 80, orientation);
      const { result, files } = await run(
        await sharp(data, { raw }).withMetadata({ orientation }).jpeg().toBuffer(),
        { strategy: "center" },
      );
      assert.deepEqual(result.crops, [{ ratio: "1:1", left: 20, top: 0, width: 80, height: 80 }]);
      const [file = Buffer.alloc(0)] = files.values();
      await assertQuadrants(file, 16);
      const { exif, orientation: left } = await sharp(file).metadata();
      assert.deepEqual([exif, left], [undefined, undefined]);
    });
  }

  for (const [format, extension, mimeType] of [
    ["jpeg", "jpg", "image/jpeg"],
    ["webp", "webp", "image/webp"],
    ["png", "png", "image/png"],
    ["avif", "avif", "image/avif"],
    ["tiff", "jpg", "image/jpeg"],
    ["gif", "jpg", "image/jpeg"],
  ] as const) {
    it(`of ${format} are written as ${extension}`, async () => {
      const { outputs, files } = await run(await quadrants(60, 40)[format]().toBuffer());
      assert.deepEqual(
        outputs.map(({ name, mimeType: type }) => [name, type]),
        [[`1x1.${extension}`, mimeType]],
      );
      const formatNames: Record<string, string> = { jpg: "jpeg", avif: "heif" };
      assert.equal(
        (await sharp([...files.values()][0]).metadata()).format,
        formatNames[extension] ?? format,
      );
    });
  }

  it("report their steps and the decoder's warnings", async () => {
    const { steps, result } = await run(
      makeGif([
        [9, 9, 9],
        [200, 0, 0],
      ]),
      { ratios: ["1:1", "2:1"] },
    );
    assert.deepEqual(steps, [
      [0, "decoding"],
      [0.4, "cutting out 1:1"],
      [0.7, "cutting out 2:1"],
      [1, "done"],
    ]);
    assert.deepEqual(result.warnings, ["first frame of an animation"]);
  });

  it("are rejected for other files, and stop when they are aborted", async () => {
    await assert.rejects(
      run(Buffer.from("%PDF-1.7")),
      (error) => error instanceof PhotoUnreadableError && /PDF/.test(error.message),
    );
    await assert.rejects(runTask(crop, folder.write(map(20, 10)), {}, AbortSignal.abort()), {
      name: "AbortError",
    });
  });
});
