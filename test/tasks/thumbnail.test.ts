import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhotoTooLargeError, PhotoUnreadableError } from "../../src/domain/errors.js";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { thumbnail } from "../../src/tasks/thumbnail/task.js";
import { makeGif } from "../imaging/make-gif.js";
import { makePng } from "../imaging/make-png.js";
import { noise } from "../imaging/noise.js";
import { assertColor, assertQuadrants, quadrants, storedQuadrants } from "../imaging/quadrants.js";
import { scene } from "../imaging/scene.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runTask } from "./run-task.js";

const folder = temporaryFolder();
const run = (
  bytes: Uint8Array,
  parameters: Parameters<
    typeof runTask<typeof thumbnail.parameters, typeof thumbnail.result>
  >[2] = {},
) => runTask(thumbnail, folder.write(bytes), parameters);

describe("thumbnail parameters", () => {
  it("default to WebP of 320 and 1024 pixels", () => {
    assert.deepEqual(thumbnail.parameters.parse({}), { widths: [320, 1024], format: "webp" });
  });

  it("are rejected outside their limits, and when they are unknown", () => {
    for (const input of [
      { widths: [] },
      { widths: [15] },
      { widths: [4097] },
      { widths: [20.5] },
      { widths: Array.from({ length: 11 }, (_, n) => 100 + n) },
      { quality: 0 },
      { quality: 101 },
      { format: "gif" },
      { width: 100 },
    ]) {
      assert.equal(thumbnail.parameters.safeParse(input).success, false, JSON.stringify(input));
    }
    const twice = thumbnail.parameters.safeParse({ widths: [100, 200, 100] }).error?.issues;
    assert.deepEqual(
      twice?.map(({ path, message }) => [path, message]),
      [[["widths"], "contains a width twice"]],
    );
  });
});

describe("thumbnails", () => {
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it(`are upright and without metadata for a photo of orientation ${orientation}`, async () => {
      const { data, raw } = storedQuadrants(120, 80, orientation);
      const { result, files } = await run(
        await sharp(data, { raw }).withMetadata({ orientation }).jpeg().toBuffer(),
        { widths: [60, 30] },
      );
      assert.deepEqual(
        result.variants.map(({ width, height }) => [width, height]),
        [
          [60, 40],
          [30, 20],
        ],
      );
      for (const file of files.values()) {
        await assertQuadrants(file, 16);
        const { exif, icc, orientation: left } = await sharp(file).metadata();
        assert.deepEqual([exif, icc, left], [undefined, undefined, undefined]);
      }
    });
  }

  for (const [format, extension, mimeType] of [
    ["jpeg", "jpg", "image/jpeg"],
    ["webp", "webp", "image/webp"],
    ["avif", "avif", "image/avif"],
    ["png", "png", "image/png"],
  ] as const) {
    it(`are written as ${format}, in the requested order, with their sizes and types`, async () => {
      const { result, files, outputs } = await run(await quadrants(300, 200).png().toBuffer(), {
        widths: [16, 150, 100],
        format,
      });
      assert.deepEqual(
        result.variants.map(({ name, width, height }) => [name, width, height]),
        [
          [`16w.${extension}`, 16, 11],
          [`150w.${extension}`, 150, 100],
          [`100w.${extension}`, 100, 67],
        ],
      );
      assert.deepEqual(
        outputs.map(({ name }) => name),
        result.variants.map(({ name }) => name),
      );
      for (const [index, { name, width, height, byteSize }] of result.variants.entries()) {
        const file = files.get(name);
        assert(file);
        const header = await sharp(file).metadata();
        assert.deepEqual(
          [header.format, header.width, header.height],
          [format === "avif" ? "heif" : format, width, height],
        );
        assert.deepEqual(outputs[index], { name, mimeType, byteSize, width, height });
        assert.equal(file.length, byteSize);
        await assertQuadrants(file, 30);
      }
    });
  }

  it("are never enlarged, and name their real width", async () => {
    const { result, files } = await run(await quadrants(100, 60).png().toBuffer(), {
      widths: [500, 50, 100, 400],
      format: "png",
    });
    assert.deepEqual(
      result.variants.map(({ name, width, height }) => [name, width, height]),
      [
        ["500w.png", 100, 60],
        ["50w.png", 50, 30],
        ["100w.png", 100, 60],
        ["400w.png", 100, 60],
      ],
    );
    assert.equal(files.size, 4);
  });

  it("keep the photo's proportions in a series of variants", async () => {
    const { result } = await run(await quadrants(997, 613).png().toBuffer(), {
      widths: [900, 801, 702, 603, 504, 405, 306, 207, 108, 17],
    });
    for (const { width, height } of result.variants)
      assert.equal(height, Math.round((613 * width) / 997));
  });

  it("are at least one pixel high", async () => {
    const { result } = await run(await quadrants(1000, 2).png().toBuffer(), { widths: [16] });
    assert.equal(result.variants[0]?.height, 1);
  });

  it("keep transparency, which becomes white in JPEG", async () => {
    const bytes = makePng({
      width: 32,
      height: 1,
      colorType: 6,
      samples: Uint8Array.from(Array.from({ length: 32 }, () => [255, 0, 0, 128]).flat()),
    });
    const colors = async (format: "jpeg" | "png") => [
      ...(
        await sharp([...(await run(bytes, { widths: [16], format })).files.values()][0])
          .raw()
          .toBuffer()
      ).subarray(0, format === "png" ? 4 : 3),
    ];
    assertColor(await colors("png"), [255, 0, 0, 128], 1);
    assertColor(await colors("jpeg"), [255, 127, 127], 3);
  });

  it("are smaller at lower quality", async () => {
    const bytes = await noise(200, 200).png().toBuffer();
    const sizeAt = async (quality: number) =>
      (await run(bytes, { widths: [200], format: "jpeg", quality })).result.variants[0]?.byteSize ??
      0;
    assert((await sizeAt(20)) < (await sizeAt(90)) / 2);
  });

  it("are nearly equal to one resize of the whole photo", async () => {
    // The photo has soft shapes and fine grain, and is stored rotated, as phones do.
    const grain = await noise(800, 600).resize(2400, 1800).png().toBuffer();
    const photo = await sharp(await scene(5, 2400, 1800))
      .composite([{ input: grain, blend: "soft-light" }])
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const path = folder.write(photo);
    const { files } = await runTask(thumbnail, path, { widths: [1700, 1024, 320], format: "png" });
    const direct = await sharp(path)
      .autoOrient()
      .resize(320, 427, { fit: "fill", fastShrinkOnLoad: false })
      .raw()
      .toBuffer();
    const cascaded = await sharp(files.get("320w.png")).raw().toBuffer();
    assert.equal(cascaded.length, direct.length);
    const squares = direct.reduce((sum, value, at) => sum + (value - (cascaded[at] ?? 0)) ** 2, 0);
    assert(10 * Math.log10(255 ** 2 / (squares / direct.length)) > 35);
  });

  it("have a warning for an animation and for a JPEG without end marker", async () => {
    assert.deepEqual(
      (
        await run(
          makeGif([
            [9, 9, 9],
            [200, 0, 0],
          ]),
        )
      ).result.warnings,
      ["first frame of an animation"],
    );
    const whole = await noise(60, 40).jpeg().toBuffer();
    assert.deepEqual((await run(whole.subarray(0, -2))).result.warnings, [
      "repaired: end marker missing",
    ]);
    assert.equal((await run(whole)).result.warnings, undefined);
  });

  it("are rejected for other files, and for damaged or too large photos", async () => {
    await assert.rejects(
      run(Buffer.from("%PDF-1.7")),
      (error) => error instanceof PhotoUnreadableError && /PDF/.test(error.message),
    );
    const whole = await noise(60, 40).jpeg().toBuffer();
    await assert.rejects(
      run(whole.subarray(0, whole.length / 2)),
      (error) => error instanceof PhotoUnreadableError && /damaged or cut off/.test(error.message),
    );
    await assert.rejects(
      run(makePng({ width: 20_000, height: 20_000, colorType: 2, samples: Buffer.alloc(0) })),
      PhotoTooLargeError,
    );
  });

  it("are rejected with a clear message above the limit of WebP", async () => {
    const tall = await sharp({
      create: { width: 20, height: 17_000, channels: 3, background: "#369" },
    })
      .png()
      .toBuffer();
    await assert.rejects(
      run(tall),
      (error) =>
        error instanceof PhotoTooLargeError &&
        error.message.startsWith(
          "WebP allows at most 16383 pixels per side, and this picture has 20 × 17000. Choose",
        ),
    );
    assert.equal((await run(tall, { format: "jpeg" })).result.variants[0]?.height, 17_000);
  });

  it("report their steps with growing progress, and stop between two when aborted", async () => {
    const bytes = await quadrants(300, 200).png().toBuffer();
    const { steps } = await run(bytes, { widths: [50, 100] });
    assert.deepEqual(
      steps.map(([, message]) => message),
      ["decoding", "making the 100 px variant", "making the 50 px variant", "writing", "done"],
    );
    assert.deepEqual(
      steps.map(([fraction]) => fraction),
      steps.map(([fraction]) => fraction).sort((a, b) => a - b),
    );
    assert.deepEqual([steps[0]?.[0], steps.at(-1)?.[0]], [0, 1]);
    assert((steps[2]?.[0] ?? 0) > 0.8, "after the larger one, most is done");
    await assert.rejects(runTask(thumbnail, folder.write(bytes), {}, AbortSignal.abort()), {
      name: "AbortError",
    });
  });
});
