import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhotoUnreadableError } from "../../../../src/domain/errors.js";
import { sharp } from "../../../../src/imaging/pixels/pixels.js";
import { watermark } from "../../../../src/tasks/watermark/task.js";
import { makeGif } from "../../../imaging/make-gif.js";
import { makePng } from "../../../imaging/make-png.js";
import { noise } from "../../../imaging/noise.js";
import {
  assertColor,
  assertQuadrants,
  quadrants,
  storedQuadrants,
} from "../../../imaging/quadrants.js";
import { runTask } from "../../run-task.js";
import { createWatermarkRun } from "../run-watermark.js";

const { folder, run } = createWatermarkRun();

describe("the photo under a watermark", () => {
  it("is upright, keeps its format and has no metadata", async () => {
    const { data, raw } = storedQuadrants(300, 200, 6);
    for (const [format, becomes] of [
      ["jpeg", "jpeg"],
      ["png", "png"],
      ["webp", "webp"],
      ["avif", "avif"],
      ["tiff", "jpeg"],
    ] as const) {
      const { file, result } = await run(
        await sharp(data, { raw })
          .withExif({ IFD0: { Make: "Acme Cameras" } })
          .withMetadata({ orientation: 6 })
          .toFormat(format)
          .toBuffer(),
        { text: "x", scale: 0.05 },
      );
      const header = await sharp(file).metadata();
      assert.deepEqual(
        [result.format, header.format, header.width, header.height, header.exif],
        [becomes, becomes === "avif" ? "heif" : becomes, 300, 200, undefined],
      );
      await assertQuadrants(file, 20);
    }
  });

  it("stays transparent, also under the mark", async () => {
    const photo = makePng({
      width: 60,
      height: 40,
      colorType: 6,
      samples: Uint8Array.from(Array.from({ length: 2400 }, () => [10, 200, 30, 0]).flat()),
    });
    const { data, info } = await sharp(
      (await run(photo, { text: "H", scale: 1, opacity: 0.5, gravity: "center" })).file,
    )
      .raw()
      .toBuffer({ resolveWithObject: true });
    const alphas = Array.from(data.filter((_, at) => at % 4 === 3));
    assert.deepEqual([info.channels, alphas[0]], [4, 0]);
    assert(Math.abs(Math.max(...alphas) - 128) < 8, String(Math.max(...alphas)));
  });

  it("is converted to sRGB from wide gamut and CMYK", async () => {
    const color = {
      create: { width: 40, height: 40, channels: 3, background: "#b4785a" },
    } as const;
    for (const [photo, tolerance] of [
      [await sharp(color).withIccProfile("p3").png().toBuffer(), 2],
      [await sharp(color).toColourspace("cmyk").jpeg({ quality: 95 }).toBuffer(), 10],
    ] as const) {
      assertColor(
        [
          ...(
            await sharp((await run(photo, { text: "x" })).file)
              .raw()
              .toBuffer()
          ).subarray(0, 3),
        ],
        [0xb4, 0x78, 0x5a],
        tolerance,
      );
    }
  });

  it("keeps its warnings, and is rejected when it is damaged", async () => {
    assert.deepEqual(
      (
        await run(
          makeGif([
            [9, 9, 9],
            [200, 0, 0],
          ]),
          { text: "x" },
        )
      ).result,
      { width: 1, height: 1, format: "jpeg", warnings: ["first frame of an animation"] },
    );
    const whole = await noise(60, 40).jpeg().toBuffer();
    await assert.rejects(
      run(whole.subarray(0, whole.length / 2), { text: "x" }),
      (error) => error instanceof PhotoUnreadableError && /damaged or cut off/.test(error.message),
    );
  });

  it("the task reports its steps, and stops between two when it is aborted", async () => {
    const photo = await quadrants(30, 20).png().toBuffer();
    assert.deepEqual((await run(photo, { text: "x" })).steps, [
      [0, "decoding"],
      [0.4, "drawing the text"],
      [0.5, "encoding PNG"],
      [0.95, "writing"],
      [1, "done"],
    ]);
    await assert.rejects(
      runTask(watermark, folder.write(photo), { text: "x" }, AbortSignal.abort()),
      { name: "AbortError" },
    );
  });
});
