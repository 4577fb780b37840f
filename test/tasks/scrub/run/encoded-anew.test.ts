// Photos whose metadata cannot be cut out, so that they are encoded again.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PermanentTaskError, PhotoUnreadableError } from "../../../../src/domain/errors.js";
import { sharp } from "../../../../src/imaging/pixels/pixels.js";
import { scrub } from "../../../../src/tasks/scrub/task.js";
import { quadrantsHeic, tiledHeic } from "../../../imaging/heif-files.js";
import { makeGif } from "../../../imaging/make-gif.js";
import { noise } from "../../../imaging/noise.js";
import { assertQuadrants, quadrants, storedQuadrants } from "../../../imaging/quadrants.js";
import { noExiftool } from "../../exiftool.js";
import { runTask } from "../../run-task.js";
import { RIGHTS, SECRET, withSecrets } from "../plant-secrets.js";
import { createScrubScene, latin, rawOf, RIGHTS_ONLY, UPRIGHT } from "../scrub-scene.js";

const { folder, run, exiftoolFinds, askExiftool } = createScrubScene();

describe("scrubbing any other photo", () => {
  for (const format of ["jpeg", "png", "webp"] as const) {
    it(`rotates ${format} upright and keeps only the rights`, async () => {
      const { data, raw } = storedQuadrants(64, 32, 6);
      const photo = await withSecrets(sharp(data, { raw }), {
        ...RIGHTS,
        Artist: "Ann (E) Example",
      })
        .withMetadata({ orientation: 6 })
        .toFormat(format, { quality: 100 })
        .toBuffer();
      const { file, result } = await run(photo);
      assert.deepEqual([result.lossless, result.format], [false, format]);
      assert.doesNotMatch(latin(file), SECRET);
      const header = await sharp(file).metadata();
      assert.deepEqual(
        [header.format, header.width, header.height, header.orientation],
        [format, 64, 32, undefined],
      );
      await assertQuadrants(file, 12);
      assert.match(latin(header.exif ?? Buffer.alloc(0)), /Ann Example|Ann \(E\) Example/);
      exiftoolFinds(file, RIGHTS_ONLY);
    });
  }

  for (const [format, becomes] of [
    ["tiff", "jpeg"],
    ["avif", "avif"],
  ] as const) {
    it(`converts ${format} to ${becomes}`, async () => {
      const { file, result } = await run(await withSecrets(quadrants(64, 32))[format]().toBuffer());
      assert.deepEqual([result.lossless, result.format], [false, becomes]);
      assert.doesNotMatch(latin(file), SECRET);
      await assertQuadrants(file, 16);
    });
  }

  it("converts an animation's first frame to JPEG, with a warning", async () => {
    const { result } = await run(
      makeGif([
        [9, 9, 9],
        [200, 0, 0],
      ]),
    );
    assert.deepEqual([result.format, result.warnings], ["jpeg", ["first frame of an animation"]]);
  });

  it("keeps the quality, chroma and profile of a rotated JPEG", async () => {
    const picture = noise(160, 120).blur(1.5).withIccProfile("p3").withMetadata({ orientation: 3 });
    for (const chromaSubsampling of ["4:4:4", "4:2:0"]) {
      const photo = await picture.clone().jpeg({ quality: 97, chromaSubsampling }).toBuffer();
      const { file } = await run(photo);
      const header = await sharp(file).metadata();
      assert.deepEqual(
        [
          header.chromaSubsampling,
          header.icc?.equals((await sharp(photo).metadata()).icc ?? Buffer.alloc(0)),
        ],
        [chromaSubsampling, true],
      );
      const [before, after] = [await sharp(photo).rotate().raw().toBuffer(), await rawOf(file)];
      const squares = before.reduce((sum, value, at) => sum + (value - (after[at] ?? 0)) ** 2, 0);
      assert(
        10 * Math.log10(255 ** 2 / (squares / before.length)) > 38,
        `${10 * Math.log10(255 ** 2 / (squares / before.length))} dB`,
      );
    }
  });

  it("repairs a JPEG without its end marker, and rejects one that is cut", async () => {
    const whole = await noise(120, 80).jpeg().toBuffer();
    const { file, result } = await run(whole.subarray(0, -2));
    assert.deepEqual(
      [file.equals(whole) || (await rawOf(file)).equals(await rawOf(whole)), result.warnings],
      [true, ["repaired: end marker missing"]],
    );
    await assert.rejects(
      run(whole.subarray(0, whole.length / 2)),
      (error) => error instanceof PhotoUnreadableError && /damaged or cut off/.test(error.message),
    );
  });

  it("encodes the picture again when its coded data contains a removed text", async () => {
    const photo = await withSecrets(noise(60, 40), RIGHTS).jpeg().toBuffer();
    const { file, result } = await run(
      Buffer.concat([photo.subarray(0, -2), Buffer.from("sEcReT-serial"), photo.subarray(-2)]),
    );
    assert.deepEqual(
      [result.lossless, result.format, result.verifiedClean, SECRET.test(latin(file))],
      [false, "jpeg", true, false],
    );
    exiftoolFinds(file, RIGHTS_ONLY);
    const [before, after] = [await rawOf(photo), await rawOf(file)];
    assert(
      before.reduce((sum, value, at) => sum + Math.abs(value - (after[at] ?? 0)), 0) /
        before.length <
        12,
    );
  });

  it("fails permanently, without an output, when data is left even then", async () => {
    // This text is in front of every profile of a JPEG.
    const photo = await noise(60, 40)
      .withIccProfile("p3")
      .withExif({ IFD0: { Make: "ICC_PROFILE" } })
      .jpeg()
      .toBuffer();
    const message =
      "The photo could not be scrubbed: the output still contains EXIF:Make. The output " +
      "was discarded.";
    await assert.rejects(
      run(photo),
      (error) =>
        error instanceof PermanentTaskError &&
        error.code === "TASK_FAILED" &&
        error.message === message,
    );
  });

  it("keeps the wide profile of a HEIC with its pixels, or converts them to sRGB", async () => {
    const kept = await run(quadrantsHeic());
    const { icc = Buffer.alloc(0), ...header } = await sharp(kept.file).metadata();
    assert.deepEqual(
      [
        header.format,
        header.width,
        header.height,
        header.orientation,
        icc.equals((await sharp(quadrantsHeic()).metadata()).icc ?? Buffer.alloc(1)),
      ],
      ["jpeg", 96, 64, undefined, true],
    );
    await assertQuadrants(kept.file, 12);
    const { file } = await run(quadrantsHeic(), { keepIcc: false });
    assert.equal((await sharp(file).metadata()).icc, undefined);
    await assertQuadrants(file, 12);
    for (const cut of [quadrantsHeic().subarray(0, -1), tiledHeic().subarray(0, -1)])
      await assert.rejects(
        run(cut),
        (error) =>
          error instanceof PhotoUnreadableError && /damaged or cut off/.test(error.message),
      );
  });

  it("reports its steps, and stops between two when it is aborted", async () => {
    const photo = await UPRIGHT.jpeg();
    const { steps } = await run(photo);
    assert.deepEqual(steps, [
      [0, "reading the tags"],
      [0.2, "removing the tags"],
      [0.8, "checking the output"],
      [0.95, "writing"],
      [1, "done"],
    ]);
    await assert.rejects(runTask(scrub, folder.write(photo), {}, AbortSignal.abort()), {
      name: "AbortError",
    });
  });
});

describe("scrubbing a photo with something wrong in its header", () => {
  it("keeps the readable part, with a warning", async () => {
    const { data, raw } = storedQuadrants(48, 24, 6);
    const lying = await sharp(data, { raw })
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 95 })
      .toBuffer();
    // Adds three bytes where a segment should begin, before the quantization tables.
    const tables = lying.indexOf(Buffer.from([0xff, 0xdb]));
    const { result, file } = await run(
      Buffer.concat([lying.subarray(0, tables), Buffer.alloc(3), lying.subarray(tables)]),
    );
    assert.deepEqual(
      [result.warnings, result.verifiedClean],
      [["damaged: parts of the picture may be wrong"], true],
    );
    await assertQuadrants(file, 16);
  });
});

describe("a scrubbed photo", { skip: noExiftool }, () => {
  it("has no metadata for exiftool except the kept rights", () => askExiftool(4));
});
