import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhotoTooLargeError, PhotoUnreadableError } from "../../../src/domain/errors.js";
import { readPhotoHeader, type HeaderOptions } from "../../../src/imaging/formats/photo-header.js";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { branded, quadrantsHeic, twoPictureAvif, withSize } from "../heif-files.js";
import { makeGif } from "../make-gif.js";
import { makePng } from "../make-png.js";
import { noise } from "../noise.js";
import { storedQuadrants } from "../quadrants.js";
import { noSharedPhotos, sharedPhotos } from "../shared-photos.js";
import { temporaryFolder } from "../temporary-folder.js";

const folder = temporaryFolder();
const LIMITS = { maxPixels: 100_000_000 };
const read = (bytes: Uint8Array | string, limits: HeaderOptions = LIMITS) =>
  readPhotoHeader(folder.write(bytes), limits);

function refusal(kind: typeof PhotoUnreadableError | typeof PhotoTooLargeError, sentence: RegExp) {
  return (error: unknown) => {
    assert(error instanceof kind, String(error));
    assert.match(error.message, sentence);
    return true;
  };
}

/** A PNG with a header but no pixels. */
const hollowPng = (width: number, height: number) =>
  makePng({ width, height, colorType: 2, samples: Buffer.alloc(0) });

describe("a photo's header", () => {
  for (const [format, mimeType] of [
    ["jpeg", "image/jpeg"],
    ["png", "image/png"],
    ["webp", "image/webp"],
    ["gif", "image/gif"],
    ["tiff", "image/tiff"],
    ["avif", "image/avif"],
  ] as const) {
    it(`has format and size of ${format}, whatever the file name`, async () => {
      const bytes = await sharp({
        create: { width: 30, height: 20, channels: 3, background: "#336699" },
      })
        .toFormat(format)
        .toBuffer();
      assert.deepEqual(await read(bytes), {
        format,
        mimeType,
        width: 30,
        height: 20,
        pages: 1,
        orientation: 1,
      });
    });
  }

  it("has the upright size of a rotated photo", async () => {
    const { data, raw } = storedQuadrants(40, 20, 6);
    const header = await read(
      await sharp(data, { raw }).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    );
    assert.deepEqual([header.width, header.height, header.orientation], [40, 20, 6]);
  });

  it("ignores the EXIF orientation of AVIF, which the container already applies", async () => {
    const turned = sharp({
      create: { width: 40, height: 20, channels: 3, background: "#336699" },
    }).withExif({ IFD0: { Orientation: "6" } });
    const { width, height, orientation } = await read(await turned.avif().toBuffer());
    assert.deepEqual([width, height, orientation], [40, 20, 1]);
  });

  it("has the number of frames of an animation", async () => {
    assert.equal(
      (
        await read(
          makeGif([
            [255, 0, 0],
            [0, 255, 0],
            [0, 0, 255],
          ]),
        )
      ).pages,
      3,
    );
  });

  it("is readable when the photo is cut after it", async () => {
    const whole = await noise(200, 150).jpeg().toBuffer();
    assert.equal((await read(whole.subarray(0, whole.length / 2))).width, 200);
  });

  it("is rejected when only the name or the first bytes look like a photo", async () => {
    await assert.rejects(read("%PDF-1.7 …"), refusal(PhotoUnreadableError, /PDF document/));
    await assert.rejects(read(""), refusal(PhotoUnreadableError, /^The file is empty\.$/));
    await assert.rejects(
      read(Buffer.from("\xff\xd8\xff\xe0 and then nothing of a JPEG", "latin1")),
      refusal(
        PhotoUnreadableError,
        new RegExp(
          "^The header of this JPEG file cannot be read: it is damaged or cut off\\. " +
            "Upload the original file again\\.$",
        ),
      ),
    );
    await assert.rejects(
      read(Buffer.from("\x89PNG\r\n\x1a\n<svg/>", "latin1")),
      refusal(PhotoUnreadableError, /header of this PNG file/),
    );
  });

  it("fails with a system error when the file is missing", async () => {
    await assert.rejects(
      readPhotoHeader(`${folder.path}/none.jpg`, LIMITS),
      (error) => error instanceof Error && (error as NodeJS.ErrnoException).code === "ENOENT",
    );
  });

  it("describes the primary picture of HEIC and AVIF, with one page", async () => {
    const heic = {
      format: "heic",
      mimeType: "image/heic",
      width: 96,
      height: 64,
      pages: 1,
      orientation: 1,
    };
    assert.deepEqual(await read(quadrantsHeic()), heic);
    assert.deepEqual(await read(twoPictureAvif()), {
      ...heic,
      format: "avif",
      mimeType: "image/avif",
      width: 64,
    });
  });

  it("has the format of the codec of HEIC and AVIF, whatever the brand", async () => {
    for (const brand of ["mif1", "avif", "heic"]) {
      assert.equal((await read(branded(quadrantsHeic(), brand))).format, "heic", brand);
      assert.equal((await read(branded(twoPictureAvif(), brand))).format, "avif", brand);
    }
  });

  it("is rejected for HEIC but not for AVIF when HEIC is off, whatever the brand", async () => {
    const off = { ...LIMITS, acceptHeic: false };
    for (const file of [quadrantsHeic(), branded(quadrantsHeic(), "avif")])
      await assert.rejects(
        read(file, off),
        refusal(
          PhotoUnreadableError,
          /^HEIC photos are not accepted here\. Upload it as JPEG, PNG, WebP, GIF, TIFF or AVIF\.$/,
        ),
      );
    assert.equal((await read(branded(twoPictureAvif(), "mif1"), off)).format, "avif");
  });

  it("is readable for an iPhone's photo", { skip: noSharedPhotos }, async () => {
    const { format, width, height, orientation } = await readPhotoHeader(
      `${sharedPhotos}IMG_5195.HEIC`,
      LIMITS,
    );
    assert.deepEqual([format, width, height, orientation], ["heic", 2566, 3313, 1]);
  });
});

describe("a photo that is too large", () => {
  it("is rejected by the size in its header, before it is decoded", async () => {
    await assert.rejects(
      read(hollowPng(20_000, 20_000)),
      refusal(
        PhotoTooLargeError,
        new RegExp(
          "^The photo has 400 megapixels \\(20000 × 20000\\); at most 100 are accepted\\. " +
            "Scale it down and upload it again\\.$",
        ),
      ),
    );
    assert.equal((await read(hollowPng(10_000, 10_000))).width, 10_000);
  });

  it("is rejected at half the pixels when it is AVIF", async () => {
    const flat = sharp({
      create: { width: 2000, height: 1000, channels: 3, background: "#336699" },
    });
    const limits = { maxPixels: 3_000_000 };
    assert.equal((await read(await flat.clone().jpeg().toBuffer(), limits)).width, 2000);
    await assert.rejects(
      read(await flat.clone().avif({ effort: 0 }).toBuffer(), limits),
      refusal(PhotoTooLargeError, /2 megapixels .* at most 1\.5 are/),
    );
  });

  it("is rejected at half the pixels when it is HEIC", async () => {
    assert.equal((await read(withSize(quadrantsHeic(), 8064, 6048))).height, 8064);
    await assert.rejects(
      read(withSize(quadrantsHeic(), 8000, 6251)),
      refusal(
        PhotoTooLargeError,
        /^The photo has 50\.01 megapixels \(6251 × 8000\); at most 50 are accepted\./,
      ),
    );
  });

  it("is rejected for a side over 32,767 pixels", async () => {
    await assert.rejects(
      read(hollowPng(32_768, 10)),
      refusal(PhotoTooLargeError, /32768 × 10 pixels; a side may have at most 32767\./),
    );
    assert.equal((await read(hollowPng(32_767, 10))).width, 32_767);
  });

  it("is rejected for more than 1,000 pages", async () => {
    const colors: [number, number, number][] = [[255, 0, 0]];
    await assert.rejects(
      read(makeGif(colors, 1001)),
      refusal(PhotoTooLargeError, /1001 pages or frames; at most 1000/),
    );
    assert.equal((await read(makeGif(colors, 1000))).pages, 1000);
  });
});
