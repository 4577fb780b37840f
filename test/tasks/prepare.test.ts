import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhotoUnreadableError } from "../../src/domain/errors.js";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { hash } from "../../src/tasks/hash/task.js";
import { metadata } from "../../src/tasks/metadata/task.js";
import { palette } from "../../src/tasks/palette/task.js";
import { placeholder } from "../../src/tasks/placeholder/task.js";
import { prepare } from "../../src/tasks/prepare/task.js";
import { thumbnail } from "../../src/tasks/thumbnail/task.js";
import { makeGif } from "../imaging/make-gif.js";
import { noise } from "../imaging/noise.js";
import { scene } from "../imaging/scene.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runTask } from "./run-task.js";

const folder = temporaryFolder();
const more = {
  findNearPhotos: async ({ phash, maxDistance }: { phash: string; maxDistance: number }) => ({
    photos: [{ photoId: phash, distance: maxDistance }],
    cut: false,
  }),
};
const EXIF = {
  IFD0: { Make: "Acme", Model: "Eye 3" },
  IFD2: { DateTimeOriginal: "2021:04:11 15:47:53" },
  IFD3: {
    GPSLatitudeRef: "S",
    GPSLatitude: "33/1 30/1 0/1",
    GPSLongitudeRef: "E",
    GPSLongitude: "151/1 15/1 0/1",
  },
};

async function runEachJob(path: string) {
  const thumbnails = await runTask(thumbnail, path, {});
  const results = {
    thumbnail: thumbnails.result,
    metadata: (await runTask(metadata, path, {})).result,
    placeholder: (await runTask(placeholder, path, {})).result,
    palette: (await runTask(palette, path, {})).result,
    hash: (await runTask(hash, path, {}, undefined, more)).result,
  };
  return { results, thumbnails };
}

const channelsOf = (hex: string) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

function assertNear(actual: string[], expected: string[]): void {
  assert.equal(actual.length, expected.length);
  for (const [at, hex] of actual.entries()) {
    const other = channelsOf(expected[at] ?? "");
    assert(
      channelsOf(hex).every((channel, index) => Math.abs(channel - (other[index] ?? 0)) <= 3),
      `${actual.join()} is not ${expected.join()}`,
    );
  }
}

describe("prepare", () => {
  it("returns the results of the single Jobs, for a photo no larger than a preview", async () => {
    const path = folder.write(
      await sharp(await scene(11, 480, 360))
        .withExif(EXIF)
        .jpeg()
        .toBuffer(),
    );
    const { result, files, outputs } = await runTask(prepare, path, {}, undefined, more);
    const { results, thumbnails } = await runEachJob(path);
    assert.deepEqual(result, results);
    assert.deepEqual([files, outputs], [thumbnails.files, thumbnails.outputs]);
    assert.deepEqual(
      [result.metadata.camera.model, result.metadata.gps?.latitude],
      ["Eye 3", -33.5],
    );
  });

  it("returns nearly the same for a large photo, from one shrunk preview", async () => {
    const path = folder.write(
      await sharp(await scene(12, 2400, 1600))
        .withMetadata({ orientation: 6 })
        .jpeg()
        .toBuffer(),
    );
    const { result, files } = await runTask(prepare, path, {}, undefined, more);
    const { results, thumbnails } = await runEachJob(path);
    assert.deepEqual(
      [result.thumbnail, result.metadata, files],
      [results.thumbnail, results.metadata, thumbnails.files],
    );
    assert.deepEqual(
      result.thumbnail.variants.map(({ name, width, height }) => [name, width, height]),
      [
        ["320w.webp", 320, 480],
        ["1024w.webp", 1024, 1536],
      ],
    );
    assert.equal(result.placeholder.aspectRatio, 1600 / 2400);
    assertNear([result.placeholder.averageColor], [results.placeholder.averageColor]);
    assertNear(
      result.palette.swatches.map(({ hex }) => hex),
      results.palette.swatches.map(({ hex }) => hex),
    );
    const differing = BigInt(`0x${result.hash.phash}`) ^ BigInt(`0x${results.hash.phash}`);
    assert(
      differing.toString(2).replaceAll("0", "").length <= 2,
      `${result.hash.phash} ${results.hash.phash}`,
    );
    assert.equal(result.hash.sha256, results.hash.sha256);
  });

  it("prefers the stored perceptual hash of the photo", async () => {
    const stored = { ...more, photo: { phash: "0123456789abcdef" } };
    const { result } = await runTask(
      prepare,
      folder.write(await noise(60, 40).jpeg().toBuffer()),
      {},
      undefined,
      stored,
    );
    assert.deepEqual(
      [result.hash.phash, result.hash.duplicates],
      ["0123456789abcdef", [{ photoId: "0123456789abcdef", distance: 6 }]],
    );
  });

  it("reports one growing progress, from one decode", async () => {
    const { steps } = await runTask(
      prepare,
      folder.write(await noise(60, 40).jpeg().toBuffer()),
      {},
    );
    assert.deepEqual(
      steps.map(([, message]) => message),
      [
        "decoding",
        "making the 1024 px variant",
        "making the 320 px variant",
        "writing",
        "reading the tags",
        "computing placeholders",
        "looking for duplicates",
        "done",
      ],
    );
    const fractions = steps.map(([fraction]) => fraction);
    assert.deepEqual(
      fractions,
      fractions.toSorted((a, b) => a - b),
    );
    assert.deepEqual([fractions[0], fractions.at(-1)], [0, 1]);
  });

  it("returns the decoder's warnings, for the whole and in each part", async () => {
    const { result } = await runTask(
      prepare,
      folder.write(
        makeGif([
          [9, 9, 9],
          [200, 0, 0],
        ]),
      ),
      {},
    );
    const warnings = ["first frame of an animation"];
    assert.deepEqual(
      [
        result.warnings,
        result.thumbnail.warnings,
        result.placeholder.warnings,
        result.palette.warnings,
        result.hash.warnings,
      ],
      [warnings, warnings, warnings, warnings, warnings],
    );
    assert.equal(result.hash.phash, null);
  });

  it("writes thumbnails that are too tall for WebP as JPEG or PNG", async () => {
    const tall = { width: 20, height: 17_000, background: "#36699980" };
    for (const [channels, format] of [
      [3, "jpeg"],
      [4, "png"],
    ] as const) {
      const { result, files } = await runTask(
        prepare,
        folder.write(
          await sharp({ create: { ...tall, channels } })
            .png()
            .toBuffer(),
        ),
        {},
      );
      assert.deepEqual(
        result.thumbnail.variants.map((variant) => [variant.name, variant.format, variant.height]),
        [320, 1024].map((width) => [
          `${width}w.${format === "jpeg" ? "jpg" : format}`,
          format,
          17_000,
        ]),
      );
      const headers = await Promise.all([...files.values()].map((file) => sharp(file).metadata()));
      assert.deepEqual(
        headers.map((header) => [header.format, header.width, header.height]),
        [
          [format, 20, 17_000],
          [format, 20, 17_000],
        ],
      );
    }
  });

  it("accepts no parameters, rejects other files, and stops when it is aborted", async () => {
    assert.equal(prepare.parameters.safeParse({ widths: [100] }).success, false);
    await assert.rejects(
      runTask(prepare, folder.write("%PDF-1.7"), {}),
      (error) => error instanceof PhotoUnreadableError && /PDF/.test(error.message),
    );
    await assert.rejects(
      runTask(
        prepare,
        folder.write(await noise(60, 40).jpeg().toBuffer()),
        {},
        AbortSignal.abort(),
      ),
      { name: "AbortError" },
    );
  });
});
