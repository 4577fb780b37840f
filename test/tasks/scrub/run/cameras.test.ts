import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { PhotoUnreadableError } from "../../../../src/domain/errors.js";
import { sharp } from "../../../../src/imaging/pixels/pixels.js";
import { scrub } from "../../../../src/tasks/scrub/task.js";
import { noSharedPhotos, sharedPhotos } from "../../../imaging/shared-photos.js";
import { noExiftool } from "../../exiftool.js";
import { runTask } from "../../run-task.js";
import { createScrubScene, rawOf } from "../scrub-scene.js";

const { run, exiftoolFinds, askExiftool } = createScrubScene();

describe("scrubbing photos of real cameras", { skip: noSharedPhotos }, () => {
  const names = noSharedPhotos
    ? []
    : readdirSync(sharedPhotos).filter((name) =>
        /^(Canon_40D|DSCN0010|fujifilm-dx10|landscape_6|nikon-e950)\.jpg$|\.HEIC$/.test(name),
      );
  for (const name of names) {
    it(`keeps the picture of ${name} unchanged`, async () => {
      const { result, files } = await runTask(scrub, sharedPhotos + name, { keepCopyright: false });
      const [file] = files.values();
      assert(file);
      exiftoolFinds(file, []);
      assert.deepEqual([result.format, result.verifiedClean], ["jpeg", true]);
      const lossless = !/landscape|HEIC/.test(name);
      assert.equal(result.lossless, lossless);
      if (lossless)
        assert(
          (await rawOf(file)).equals(
            await sharp(sharedPhotos + name, { failOn: "none" })
              .raw()
              .toBuffer(),
          ),
        );
    });
  }
});

describe("scrubbing a cut photo of an iPhone", { skip: noSharedPhotos }, () => {
  it("is rejected, although a decoder would show the rest in grey", async () => {
    const whole = readFileSync(`${sharedPhotos}IMG_5195.HEIC`);
    await assert.rejects(
      run(whole.subarray(0, whole.length * 0.9)),
      (error) =>
        error instanceof PhotoUnreadableError &&
        /the picture cannot be decoded/.test(error.message),
    );
  });
});

describe("a scrubbed photo", { skip: noExiftool || noSharedPhotos }, () => {
  it("has no metadata for exiftool except the kept rights", () => askExiftool(1));
});
