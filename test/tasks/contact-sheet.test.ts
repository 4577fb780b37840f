import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhotoTooLargeError, PhotoUnreadableError } from "../../src/domain/errors.js";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { contactSheet } from "../../src/tasks/contact-sheet/task.js";
import { makeGif } from "../imaging/make-gif.js";
import { makePng } from "../imaging/make-png.js";
import { noise } from "../imaging/noise.js";
import { assertColor, assertQuadrants, storedQuadrants } from "../imaging/quadrants.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runTask } from "./run-task.js";

const folder = temporaryFolder();

type Input = Parameters<
  typeof runTask<typeof contactSheet.parameters, typeof contactSheet.result>
>[2];

async function run(photos: Uint8Array[], input: Input = {}) {
  const taskRun = await runTask(
    contactSheet,
    photos.map((bytes) => folder.write(bytes)),
    input,
  );
  const [file] = taskRun.files.values();
  assert(file);
  return { ...taskRun, file, at: await readerOf(file) };
}

async function readerOf(file: Buffer) {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  return (x: number, y: number) => [
    ...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3),
  ];
}

const flat = (background: string, width = 60, height = 40) =>
  sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();
const COLORS = ["#c81428", "#14b428", "#2832d2", "#e6d228", "#141414"];
const rgb = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

describe("contact sheet parameters", () => {
  it("default to cells of 256 pixels, for 2 to 100 photos", () => {
    assert.deepEqual(contactSheet.parameters.parse({}), { cellWidth: 256 });
    assert.deepEqual([contactSheet.minPhotos, contactSheet.maxPhotos], [2, 100]);
  });

  it("are rejected outside their limits, and when they are unknown", () => {
    for (const input of [
      { columns: 0 },
      { columns: 101 },
      { columns: 1.5 },
      { cellWidth: 15 },
      { cellWidth: 1025 },
      { rows: 3 },
    ])
      assert.equal(contactSheet.parameters.safeParse(input).success, false, JSON.stringify(input));
  });
});

describe("a contact sheet", () => {
  it("shows the photos row by row in the given order, on white", async () => {
    const { result, outputs, file, at } = await run(
      await Promise.all(COLORS.map((color) => flat(color, 200, 200))),
      { cellWidth: 64 },
    );
    assert.deepEqual(result, { columns: 3, rows: 2, width: 192, height: 128 });
    assert.deepEqual(outputs, [
      {
        name: "contact-sheet.jpg",
        mimeType: "image/jpeg",
        byteSize: file.length,
        width: 192,
        height: 128,
      },
    ]);
    const { format, width, height, exif } = await sharp(file).metadata();
    assert.deepEqual([format, width, height, exif], ["jpeg", 192, 128, undefined]);
    for (const [index, color] of COLORS.entries())
      assertColor(at(64 * (index % 3) + 32, 64 * Math.floor(index / 3) + 32), rgb(color), 4, color);
    assertColor(at(160, 96), [255, 255, 255], 1, "in the empty cell");
    assertColor(at(0, 32), [255, 255, 255], 12, "beside the first photo");
  });

  it("has as many columns as requested, but not more than photos", async () => {
    const photos = await Promise.all(COLORS.map((color) => flat(color)));
    const sizes = [];
    for (const columns of [1, 2, 5, 100]) {
      const { result } = await run(photos, { columns, cellWidth: 16 });
      sizes.push([result.columns, result.rows, result.width, result.height]);
    }
    assert.deepEqual(sizes, [
      [1, 5, 16, 80],
      [2, 3, 32, 48],
      [5, 1, 80, 16],
      [5, 1, 80, 16],
    ]);
  });

  it("shows each photo uncropped and upright, and never enlarged", async () => {
    const { data, raw } = storedQuadrants(240, 120, 6);
    const turned = await sharp(data, { raw }).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { file, at } = await run([turned, await flat("#c81428", 20, 10)], { cellWidth: 128 });
    await assertQuadrants(
      await sharp(file).extract({ left: 4, top: 34, width: 120, height: 60 }).png().toBuffer(),
      16,
    );
    for (const y of [20, 108]) assertColor(at(64, y), [255, 255, 255], 4, "above and below it");
    assertColor(at(192, 64), rgb("#c81428"), 14);
    for (const [x, y] of [
      [175, 64],
      [192, 50],
    ] as const)
      assertColor(at(x, y), [255, 255, 255], 6, "around the small one");
  });

  it("shows transparent photos on white, and all others in sRGB", async () => {
    const veiled = makePng({
      width: 40,
      height: 40,
      colorType: 6,
      samples: Uint8Array.from(Array.from({ length: 1600 }, () => [255, 0, 0, 128]).flat()),
    });
    const color = {
      create: { width: 40, height: 40, channels: 3, background: "#b4785a" },
    } as const;
    const photos = [
      veiled,
      await sharp(color).withIccProfile("p3").png().toBuffer(),
      await sharp(color).toColourspace("cmyk").jpeg({ quality: 95 }).toBuffer(),
    ];
    const { at } = await run(photos, { cellWidth: 40, columns: 3 });
    assertColor(at(20, 20), [255, 127, 127], 4);
    assertColor(at(60, 20), [0xb4, 0x78, 0x5a], 4);
    assertColor(at(100, 20), [0xb4, 0x78, 0x5a], 10);
  });

  it("accepts a hundred photos", async () => {
    const photos = await Promise.all(
      Array.from({ length: 100 }, (_, index) => flat(COLORS[index % 5] ?? "")),
    );
    const { result, at } = await run(photos, { cellWidth: 24 });
    assert.deepEqual(result, { columns: 10, rows: 10, width: 240, height: 240 });
    assertColor(at(9 * 24 + 12, 9 * 24 + 12), rgb(COLORS[4] ?? ""), 6);
  });

  it("is rejected with a clear message when it would be too large", async () => {
    const photos = Array.from({ length: 40 }, () => makeGif([[9, 9, 9]]));
    await assert.rejects(
      run(photos, { columns: 1, cellWidth: 1024 }),
      (error) =>
        error instanceof PhotoTooLargeError &&
        error.message ===
          "The sheet would measure 1024 × 40960 pixels; a side may have at most 32767 " +
            "pixels. Choose more columns or smaller cells.",
    );
    await assert.rejects(
      run(photos, { columns: 40, cellWidth: 1024 }),
      (error) =>
        error instanceof PhotoTooLargeError &&
        /40960 × 1024 .* Choose fewer columns/.test(error.message),
    );
  });

  it("names the damaged photo in an error, and each photo with a warning", async () => {
    const whole = await noise(60, 40).jpeg().toBuffer();
    await assert.rejects(
      run([await flat("#ffffff"), whole.subarray(0, whole.length / 2)]),
      (error) =>
        error instanceof PhotoUnreadableError &&
        error.message.startsWith("Photo 2 of 2 (photo.jpg): The photo is damaged or cut off"),
    );
    const { result } = await run(
      [
        await flat("#ffffff"),
        makeGif([
          [9, 9, 9],
          [200, 0, 0],
        ]),
      ],
      { cellWidth: 16 },
    );
    assert.deepEqual(result.warnings, ["photo 2: first frame of an animation"]);
  });

  it("leaves unreadable photos out when asked to, and fails when none is left", async () => {
    const broken = (await noise(60, 40).jpeg().toBuffer()).subarray(0, 900);
    const photos = [await flat(COLORS[0] ?? ""), broken, await flat(COLORS[1] ?? "")];
    const { result, at } = await run(photos, { columns: 2, cellWidth: 64, skipUnreadable: true });
    assert.deepEqual([result.columns, result.rows, result.height], [2, 1, 64]);
    assert.match(result.warnings?.join() ?? "", /^photo 2: photo.jpg was left out: The photo is/);
    assertColor(at(32, 32), rgb(COLORS[0] ?? ""), 14);
    assertColor(at(96, 32), rgb(COLORS[1] ?? ""), 14);
    await assert.rejects(run([broken, broken], { skipUnreadable: true }), {
      name: "PhotoUnreadableError",
      message: "None of the photos can be read.",
    });
  });

  it("reports its steps, and stops between two photos when it is aborted", async () => {
    const photos = [await flat("#ffffff"), await flat("#000000")];
    assert.deepEqual((await run(photos)).steps, [
      [0, "placing photo 1 of 2"],
      [0.45, "placing photo 2 of 2"],
      [0.9, "encoding JPEG"],
      [0.95, "writing"],
      [1, "done"],
    ]);
    await assert.rejects(
      runTask(
        contactSheet,
        photos.map((bytes) => folder.write(bytes)),
        {},
        AbortSignal.abort(),
      ),
      { name: "AbortError" },
    );
  });
});
