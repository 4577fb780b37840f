import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhotoTooLargeError, PhotoUnreadableError } from "../../src/domain/errors.js";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { convert } from "../../src/tasks/convert/task.js";
import { makeGif } from "../imaging/make-gif.js";
import { makePng } from "../imaging/make-png.js";
import { noise } from "../imaging/noise.js";
import { assertColor, assertQuadrants, quadrants, storedQuadrants } from "../imaging/quadrants.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { exiftool, noExiftool } from "./exiftool.js";
import { runTask } from "./run-task.js";

type Input = Parameters<typeof runTask<typeof convert.parameters, typeof convert.result>>[2];

const FORMATS = [
  ["jpeg", "jpg", "image/jpeg"],
  ["webp", "webp", "image/webp"],
  ["avif", "avif", "image/avif"],
  ["png", "png", "image/png"],
] as const;

const folder = temporaryFolder();
async function run(bytes: Uint8Array, input: Input) {
  const taskRun = await runTask(convert, folder.write(bytes), input);
  const [file] = taskRun.files.values();
  assert(file);
  return { ...taskRun, file };
}
const rawOf = (file: Buffer) => sharp(file).raw().toBuffer();

describe("convert parameters", () => {
  it("have a format, and keep no metadata by default", () => {
    assert.deepEqual(convert.parameters.parse({ format: "avif" }), {
      format: "avif",
      lossless: false,
      keepMetadata: false,
    });
  });

  it("are rejected outside their limits, and when they are unknown", () => {
    for (const input of [
      {},
      { format: "gif" },
      { format: "tiff" },
      { format: "webp", quality: 0 },
      { format: "webp", quality: 101 },
      { format: "webp", quality: 1.5 },
      { format: "png", lossless: "yes" },
      { format: "png", width: 3 },
    ]) {
      assert.equal(convert.parameters.safeParse(input).success, false, JSON.stringify(input));
    }
    const issues = convert.parameters.safeParse({ format: "jpeg", lossless: true }).error?.issues;
    assert.deepEqual(
      issues?.map(({ path, message }) => [path, message]),
      [[["lossless"], "JPEG cannot be lossless: choose WebP, AVIF or PNG"]],
    );
  });
});

describe("converting", () => {
  for (const [format, extension, mimeType] of FORMATS) {
    it(`writes ${format}, upright, in full size and without metadata`, async () => {
      const { data, raw } = storedQuadrants(60, 40, 6);
      const photo = await sharp(data, { raw })
        .withExif({ IFD0: { Make: "Acme Cameras" } })
        .withMetadata({ orientation: 6 })
        .jpeg()
        .toBuffer();
      const { result, file, outputs } = await run(photo, { format });
      assert.deepEqual(result, {
        format,
        width: 60,
        height: 40,
        byteSize: file.length,
        ratio: file.length / photo.length,
      });
      assert.deepEqual(outputs, [
        { name: `converted.${extension}`, mimeType, byteSize: file.length, width: 60, height: 40 },
      ]);
      const header = await sharp(file).metadata();
      assert.deepEqual(
        [header.format, header.width, header.height, header.exif, header.icc, header.orientation],
        [format === "avif" ? "heif" : format, 60, 40, undefined, undefined, undefined],
      );
      await assertQuadrants(file, 20);
    });
  }

  for (const format of ["webp", "avif", "png"] as const) {
    it(`keeps every pixel in lossless ${format}`, async () => {
      const photo = await noise(64, 48).png().toBuffer();
      assert(
        (await rawOf((await run(photo, { format, lossless: true })).file)).equals(
          await rawOf(photo),
        ),
      );
      if (format !== "png")
        assert(!(await rawOf((await run(photo, { format })).file)).equals(await rawOf(photo)));
    });
  }

  it("makes smaller files at lower quality", async () => {
    const photo = await noise(200, 100).png().toBuffer();
    for (const format of ["jpeg", "webp", "avif"] as const) {
      const [low, high] = [
        (await run(photo, { format, quality: 20 })).result.byteSize,
        (await run(photo, { format, quality: 95 })).result.byteSize,
      ];
      assert(low < high / 2, `${format}: ${low}, ${high}`);
    }
  });

  it("keeps transparency, which becomes white in JPEG", async () => {
    const photo = makePng({
      width: 16,
      height: 16,
      colorType: 6,
      samples: Uint8Array.from(Array.from({ length: 256 }, () => [255, 0, 0, 128]).flat()),
    });
    assertColor(
      [
        ...(await rawOf((await run(photo, { format: "webp", lossless: true })).file)).subarray(
          0,
          4,
        ),
      ],
      [255, 0, 0, 128],
      1,
    );
    assertColor(
      [...(await rawOf((await run(photo, { format: "jpeg" })).file)).subarray(0, 3)],
      [255, 127, 127],
      3,
    );
  });

  it("converts wide gamut and CMYK to sRGB", async () => {
    const p3 = await sharp({
      create: { width: 16, height: 16, channels: 3, background: "#b4785a" },
    })
      .withIccProfile("p3")
      .png()
      .toBuffer();
    const inks = await sharp({
      create: { width: 16, height: 16, channels: 3, background: "#b4785a" },
    })
      .toColourspace("cmyk")
      .jpeg({ quality: 95 })
      .toBuffer();
    assert.deepEqual(
      [(await sharp(p3).metadata()).icc === undefined, (await sharp(inks).metadata()).space],
      [false, "cmyk"],
    );
    for (const [photo, tolerance] of [
      [p3, 2],
      [inks, 10],
    ] as const) {
      const { file } = await run(photo, { format: "png" });
      assertColor([...(await rawOf(file)).subarray(0, 3)], [0xb4, 0x78, 0x5a], tolerance);
    }
  });

  it("is rejected with a clear message above the limit of WebP", async () => {
    const tall = await sharp({
      create: { width: 2, height: 16_384, channels: 3, background: "#369" },
    })
      .png()
      .toBuffer();
    for (const lossless of [false, true])
      await assert.rejects(
        run(tall, { format: "webp", lossless }),
        (error) =>
          error instanceof PhotoTooLargeError &&
          error.message.startsWith(
            "WebP allows at most 16383 pixels per side, and this picture has 2 × 16384.",
          ),
      );
    assert.equal((await run(tall, { format: "png" })).result.height, 16_384);
  });

  it("returns the decoder's warnings, and rejects a damaged photo", async () => {
    assert.deepEqual(
      (
        await run(
          makeGif([
            [9, 9, 9],
            [200, 0, 0],
          ]),
          { format: "png" },
        )
      ).result.warnings,
      ["first frame of an animation"],
    );
    const whole = await noise(60, 40).jpeg().toBuffer();
    await assert.rejects(
      run(whole.subarray(0, whole.length / 2), { format: "png" }),
      (error) => error instanceof PhotoUnreadableError && /damaged or cut off/.test(error.message),
    );
  });

  it("reports its steps, and stops between two when it is aborted", async () => {
    const photo = await quadrants(30, 20).png().toBuffer();
    assert.deepEqual((await run(photo, { format: "webp" })).steps, [
      [0, "decoding"],
      [0.4, "encoding WEBP"],
      [0.95, "writing"],
      [1, "done"],
    ]);
    await assert.rejects(
      runTask(convert, folder.write(photo), { format: "webp" }, AbortSignal.abort()),
      { name: "AbortError" },
    );
  });
});

describe("converting with metadata", { skip: noExiftool }, () => {
  const RICH = {
    IFD0: { Make: "Acme", Model: "Eye 3", Copyright: "COPYRIGHT_TO_BE_REPLACED", Artist: "A" },
    IFD2: {
      DateTimeOriginal: "2021:04:11 15:47:53",
      OffsetTimeOriginal: "-05:00",
      ExposureTime: "1/50",
      FNumber: "9/5",
      ISOSpeedRatings: "400",
      FocalLength: "35/1",
      LensModel: "Acme 35mm f/1.8 (II)",
      BodySerialNumber: "SERIAL-4711",
    },
    IFD3: {
      GPSLatitudeRef: "S",
      GPSLatitude: "33/1 30/1 0/1",
      GPSLongitudeRef: "W",
      GPSLongitude: "151/1 15/1 30/1",
      GPSAltitudeRef: "0",
      GPSAltitude: "125/10",
    },
  };
  const picture = () =>
    sharp({ create: { width: 30, height: 20, channels: 3, background: "#369" } });

  for (const [format, extension] of FORMATS) {
    it(`keeps exactly the standard metadata in ${format}`, async () => {
      const photo = await picture()
        .withExif(RICH)
        .withMetadata({ orientation: 6 })
        .jpeg()
        .toBuffer();
      const rights = Buffer.from("© Zoë 写 (all)".padEnd(20));
      rights.copy(photo, photo.indexOf("COPYRIGHT_TO_BE_REPLACED"));
      photo.fill(0, photo.indexOf(rights) + rights.length, photo.indexOf(rights) + 24);
      const { file } = await run(photo, { format, keepMetadata: true });
      const allTags = exiftool(folder.write(file, `kept.${extension}`));
      const tags = Object.entries(allTags).filter(([name]) =>
        /^(IFD|ExifIFD|GPS|XMP|IPTC|Interop)/.test(name),
      );
      assert.deepEqual(Object.fromEntries(tags), {
        "IFD0:Make": "Acme",
        "IFD0:Model": "Eye 3",
        "IFD0:Artist": "A",
        "IFD0:Copyright": "© Zoë 写 (all)",
        "ExifIFD:DateTimeOriginal": "2021:04:11 15:47:53",
        "ExifIFD:OffsetTimeOriginal": "-05:00",
        "ExifIFD:ExposureTime": 0.02,
        "ExifIFD:FNumber": 1.8,
        "ExifIFD:ISO": 400,
        "ExifIFD:FocalLength": 35,
        "ExifIFD:LensModel": "Acme 35mm f/1.8",
        "GPS:GPSLatitudeRef": "S",
        "GPS:GPSLatitude": 33.5,
        "GPS:GPSLongitudeRef": "W",
        "GPS:GPSLongitude": 151.258333333333,
        "GPS:GPSAltitudeRef": 0,
        "GPS:GPSAltitude": 12.5,
      });
      assert.deepEqual(
        [(await sharp(file).metadata()).width, file.includes("SERIAL-4711"), file.includes("xxxx")],
        [20, false, false],
      );
    });
  }

  it("writes no metadata for a photo without metadata", async () => {
    const { file } = await run(await picture().png().toBuffer(), {
      format: "jpeg",
      keepMetadata: true,
    });
    assert.equal((await sharp(file).metadata()).exif, undefined);
  });
});
