import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { thumbHashToApproximateAspectRatio, thumbHashToAverageRGBA } from "thumbhash";
import {
  PhotoTooLargeError,
  PhotoUnreadableError,
  ServiceUnavailableError,
} from "../../../src/domain/errors.js";
import { ChildStoppedError } from "../../../src/child-pool/exit-reason.js";
import { createPhotoInspector } from "../../../src/imaging/inspect/photo-inspector.js";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { createLoggerTo } from "../../../src/runtime/logger.js";
import { processTree } from "../../support/processes/process-tree.js";
import { quadrantsHeic } from "../heif-files.js";
import { noise } from "../noise.js";
import { assertQuadrants, storedQuadrants } from "../quadrants.js";
import { temporaryFolder } from "../temporary-folder.js";

const folder = temporaryFolder();
const log = createLoggerTo({ write: () => {} });
const inspector = createPhotoInspector({
  log,
  maxPixels: 100_000_000,
  memoryLimitBytes: 1_500_000_000,
});
after(() => inspector.close());

describe("the photo inspector", () => {
  it("reads a header", async () => {
    const path = folder.write(
      await sharp({ create: { width: 30, height: 20, channels: 3, background: "#369" } })
        .webp()
        .toBuffer(),
    );
    assert.deepEqual(await inspector.probe(path), {
      format: "webp",
      mimeType: "image/webp",
      width: 30,
      height: 20,
      pages: 1,
      orientation: 1,
      facts: {
        takenAt: null,
        takenAtOffset: null,
        location: null,
        camera: null,
        lens: null,
        orientation: 1,
      },
    });
  });

  it("rejects with the domain's errors and messages, across the process boundary", async () => {
    await assert.rejects(
      inspector.probe(folder.write("%PDF-1.7")),
      (error) =>
        error instanceof PhotoUnreadableError &&
        error.code === "PHOTO_UNREADABLE" &&
        /PDF document/.test(error.message),
    );
    const small = createPhotoInspector({ log, maxPixels: 500, memoryLimitBytes: 1_500_000_000 });
    const path = folder.write(
      await sharp({ create: { width: 30, height: 20, channels: 3, background: "#369" } })
        .png()
        .toBuffer(),
    );
    await assert.rejects(
      small.probe(path),
      (error) => error instanceof PhotoTooLargeError && error.code === "PHOTO_TOO_LARGE",
    );
    await small.close();
  });

  it("has the header of a photo whose tags stop the child, and reads the next one", async () => {
    await inspector.warm();
    const { facts, ...header } = await inspector.probe(folder.write(tiffWithLens(40_000_000)));
    assert.deepEqual([header.format, header.width, facts], ["tiff", 1, null]);
    assert.equal(
      (await inspector.probe(folder.write(tiffWithLens(10)))).facts?.lens,
      "a".repeat(10),
    );
  });

  it("makes an upright preview, its thumbhash and its perceptual hash", async () => {
    const { data, raw } = storedQuadrants(1200, 800, 8);
    const outputPath = join(folder.path, "preview.webp");
    const preview = await inspector.preview(
      folder.write(await sharp(data, { raw }).withMetadata({ orientation: 8 }).jpeg().toBuffer()),
      outputPath,
    );
    const written = readFileSync(outputPath);
    const { format, width, height } = await sharp(written).metadata();
    assert.deepEqual([format, width, height], ["webp", 512, 341]);
    assert.deepEqual([preview.width, preview.height, preview.byteSize], [512, 341, written.length]);
    await assertQuadrants(written, 16);
    assert.match(preview.phash ?? "", /^[0-9a-f]{16}$/);
    const hash = Buffer.from(preview.thumbhash, "base64");
    assert(Math.abs(thumbHashToApproximateAspectRatio(hash) - 1.5) < 0.2);
    // The mean of the four colours is 130, 120, 87.
    const { r, g, b } = thumbHashToAverageRGBA(hash);
    for (const [actual, expected] of [
      [r, 130],
      [g, 120],
      [b, 87],
    ] as const)
      assert(Math.abs(255 * actual - expected) < 12);
  });

  it("reads HEIC, unless it is off", async () => {
    const path = folder.write(quadrantsHeic());
    assert.equal((await inspector.probe(path)).format, "heic");
    const outputPath = join(folder.path, "heic.webp");
    await inspector.preview(path, outputPath);
    await assertQuadrants(readFileSync(outputPath), 20);
    const off = createPhotoInspector({
      log,
      maxPixels: 100_000_000,
      acceptHeic: false,
      memoryLimitBytes: 1_500_000_000,
    });
    after(() => off.close());
    await assert.rejects(
      off.probe(path),
      (error) =>
        error instanceof PhotoUnreadableError &&
        error.message.startsWith("HEIC photos are not accepted here."),
    );
  });

  it("returns no perceptual hash for a flat picture", async () => {
    const path = folder.write(
      await sharp({ create: { width: 30, height: 20, channels: 3, background: "#369" } })
        .png()
        .toBuffer(),
    );
    assert.equal((await inspector.preview(path, join(folder.path, "flat.webp"))).phash, null);
  });

  it("has no child for previews before the first one", async () => {
    const settings = { log, maxPixels: 100_000_000, memoryLimitBytes: 1_500_000_000 };
    const unused = createPhotoInspector(settings);
    const others = processTree(process.pid).length;
    await unused.warm();
    assert.equal(processTree(process.pid).length, others + 1);
    await unused.close();
  });

  it("reads one header at a time, and rejects another when twenty wait", async () => {
    await inspector.warm();
    const path = folder.write(
      await sharp({ create: { width: 30, height: 20, channels: 3, background: "#369" } })
        .png()
        .toBuffer(),
    );
    const answers = await Promise.allSettled(
      Array.from({ length: 25 }, () => inspector.probe(path)),
    );
    const refused = answers.flatMap((answer) =>
      answer.status === "rejected" ? [answer.reason as Error] : [],
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array.from({ length: 25 }, (_, i) => (i < 21 ? "fulfilled" : "rejected")),
    );
    for (const error of refused) {
      assert(error instanceof ServiceUnavailableError);
      assert.equal(error.message, "Too many uploads are being checked; try again in a moment.");
    }
  });

  it("reads a header while a preview is made, and stops an aborted preview", async () => {
    const slow = folder.write(await noise(4000, 3000).png({ compressionLevel: 1 }).toBuffer());
    const abort = new AbortController();
    const stopped = inspector
      .preview(slow, join(folder.path, "slow.webp"), { signal: abort.signal })
      .catch((error: unknown) => error);
    assert.equal((await inspector.probe(slow)).width, 4000);
    abort.abort();
    const error = await stopped;
    assert(error instanceof ChildStoppedError && error.reason === "aborted", String(error));
  });
});

/** A TIFF of one pixel with a name of its lens, which only the reader of tags loads. */
function tiffWithLens(length: number): Buffer {
  const [PIXEL_AT, DIRECTORY_AT, EXIF_AT, TEXT_AT] = [8, 10, 136, 154];
  const [TEXT, SHORT, LONG] = [2, 3, 4];
  const file = Buffer.alloc(TEXT_AT + length, "a").fill(0, 0, TEXT_AT);
  file.write("II*\0", "latin1");
  file.writeUInt32LE(DIRECTORY_AT, 4);
  const writeDirectory = (at: number, entries: [tag: number, type: number, ...number[]][]) => {
    file.writeUInt16LE(entries.length, at);
    for (const [i, [tag, type, count = 1, value = 1]] of entries.entries()) {
      file.writeUInt16LE(tag, at + 2 + 12 * i);
      file.writeUInt16LE(type, at + 4 + 12 * i);
      file.writeUInt32LE(count, at + 6 + 12 * i);
      file.writeUInt32LE(value, at + 10 + 12 * i);
    }
  };
  writeDirectory(DIRECTORY_AT, [
    [256, LONG],
    [257, LONG],
    [258, SHORT, 1, 8],
    [259, SHORT],
    [262, SHORT],
    [273, LONG, 1, PIXEL_AT],
    [277, SHORT],
    [278, LONG],
    [279, LONG],
    [34_665, LONG, 1, EXIF_AT],
  ]);
  writeDirectory(EXIF_AT, [[42_036, TEXT, length, TEXT_AT]]);
  return file;
}
