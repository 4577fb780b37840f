// Bad photos from their upload to the end of a Job that decodes them. The service reads them, warns
// about damage, or refuses them with a code and a message. Narrower tests cover other files:
// - test/server/files/photo-uploads/refusals: empty files, texts, documents, archives, pages
// - test/server/files/photo-uploads: file names
// - test/imaging/pixels/decode-photo: every format, cut and with flipped bits
// - test/tasks/watermark: texts of watermarks
// - node dist/test/fuzz/main.js: many generated files
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { exifTraps } from "../imaging/exif-traps.js";
import { quadrantsHeic, twoPictureAvif, withSize } from "../imaging/heif-files.js";
import { makeGif } from "../imaging/make-gif.js";
import { makePng } from "../imaging/make-png.js";
import { noise } from "../imaging/noise.js";
import { killDecoders } from "./kill-decoders.js";
import type { QueuedJobFields, TestClient } from "../support/clients/test-client.js";
import { startTestService, type TestService } from "../support/service/test-service.js";
import { segment } from "../tasks/scrub/plant-secrets.js";

type Make = () => Buffer | Promise<Buffer>;

const half = (file: Buffer) => file.subarray(0, file.length / 2);
const picture = () => noise(160, 120).blur(2);
const jpeg = () => picture().jpeg().toBuffer();
const HUFFMAN_TABLES = 0xc4;
/** A JPEG with additional bytes after its start marker, or before its first segment of a kind. */
const inJpeg = async (part: Buffer, segmentBehind?: number) => {
  const file = await jpeg();
  const at = segmentBehind === undefined ? 2 : file.indexOf(Buffer.from([0xff, segmentBehind]));
  return Buffer.concat([file.subarray(0, at), part, file.subarray(at)]);
};
const unreadableHeader = (title: string) =>
  `The header of this ${title} file cannot be read: it is damaged or cut off. Upload the ` +
  "original file again.";
const tooMany = (count: string, maximum: number) =>
  `The photo has ${count}; at most ${maximum} are accepted. Scale it down and upload it again.`;

const REFUSED: [what: string, make: Make, status: number, code: string, message: string][] = [
  [
    "an AVIF of less than 2 KB and 100 megapixels",
    () => withSize(twoPictureAvif(), 10_000, 10_000),
    413,
    "PHOTO_TOO_LARGE",
    tooMany("100 megapixels (10000 × 10000)", 50),
  ],
  [
    "a PNG of 65 bytes and 400 megapixels",
    () => makePng({ width: 20_000, height: 20_000, colorType: 0, samples: Buffer.alloc(0) }),
    413,
    "PHOTO_TOO_LARGE",
    tooMany("400 megapixels (20000 × 20000)", 100),
  ],
  [
    "a GIF of 10,000 frames",
    () => makeGif([[1, 2, 3]], 10_000),
    413,
    "PHOTO_TOO_LARGE",
    "The file has 10000 pages or frames; at most 1000 are accepted.",
  ],
  ["half a HEIC", () => half(quadrantsHeic()), 415, "PHOTO_UNREADABLE", unreadableHeader("HEIC")],
  [
    "half a WebP",
    async () => half(await picture().webp().toBuffer()),
    415,
    "PHOTO_UNREADABLE",
    unreadableHeader("WebP"),
  ],
  [
    "a PNG whose palette is missing",
    () => makePng({ width: 1, height: 1, colorType: 3, samples: Buffer.from([5]) }),
    415,
    "PHOTO_UNREADABLE",
    unreadableHeader("PNG"),
  ],
  [
    "an SVG that refers to a file of the server",
    () =>
      Buffer.from(
        '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM ' +
          '"file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg" width="9" ' +
          'height="9"><text>&x;</text></svg>',
      ),
    415,
    "PHOTO_UNREADABLE",
    "This is an SVG drawing, not a photo. Upload it as JPEG, PNG, WebP, GIF, TIFF, AVIF or HEIC.",
  ],
];

const FIRST_FRAME = "first frame of an animation";
const READ: [what: string, make: Make, warnings?: string[]][] = [
  ["one pixel", () => noise(1, 1).jpeg().toBuffer()],
  ["1 × 30,000 pixels", () => noise(1, 30_000).jpeg().toBuffer()],
  ["30,000 × 1 pixels", () => noise(30_000, 1).png().toBuffer()],
  ["a GIF of 1,000 frames", () => makeGif([[1, 2, 3]], 1000), [FIRST_FRAME]],
  [
    "16 bits",
    () =>
      makePng({
        width: 2,
        height: 1,
        bitDepth: 16,
        colorType: 2,
        samples: Buffer.from("ffff80000000123456789abc", "hex"),
      }),
  ],
  [
    "16 bits of grey with transparency",
    () =>
      makePng({
        width: 2,
        height: 1,
        bitDepth: 16,
        colorType: 4,
        samples: Buffer.from("ffff800012340000", "hex"),
      }),
  ],
  ["CMYK", () => picture().toColourspace("cmyk").jpeg().toBuffer()],
  ["a palette", () => picture().png({ palette: true }).toBuffer()],
  [
    "a JPEG that lacks its end marker",
    async () => (await jpeg()).subarray(0, -2),
    ["repaired: end marker missing"],
  ],
  [
    "three bytes too many in a JPEG",
    () => inJpeg(Buffer.alloc(3), HUFFMAN_TABLES),
    ["damaged: parts of the picture may be wrong"],
  ],
  [
    "an invalid colour profile",
    () =>
      inJpeg(
        segment(
          0xe2,
          Buffer.concat([
            Buffer.from("ICC_PROFILE\0\x01\x01", "latin1"),
            Buffer.alloc(400, "no profile "),
          ]),
        ),
      ),
    ["ignored: the colour profile is broken"],
  ],
  ...Object.entries(exifTraps).map(([what, exif]): (typeof READ)[number] => [
    what,
    () => inJpeg(segment(0xe1, Buffer.concat([Buffer.from("Exif\0\0"), exif]))),
  ]),
];

const CUT: [what: string, share: number][] = [
  ["10 %", 0.1],
  ["50 %", 0.5],
  ["99 %", 0.99],
];
const CRASHED =
  "The photo cannot be processed: the decoder stopped at it. Upload the original file again.";
const NO_PROC = process.platform === "linux" ? false : "this test needs Linux's /proc";
const DAMAGED =
  "The photo is damaged or cut off: its header is fine, but the picture cannot be " +
  "decoded. Upload the original file again.";

describe("a bad photo", () => {
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService();
    person = await service.person();
  });
  after(() => service.close());

  for (const [what, make, status, code, message] of REFUSED) {
    it(`is refused at its upload: ${what}`, async () => {
      assert.deepEqual(await person.upload(await make()), { status, json: { code, message } });
    });
  }

  for (const [what, make, warnings] of READ) {
    it(`is decoded${warnings ? " with a warning" : ""}: ${what}`, async () => {
      const { status, result, error } = await prepared(await make());
      assert.deepEqual(
        [status, error, (result as { warnings?: string[] }).warnings],
        ["SUCCESS", null, warnings],
      );
    });
  }

  for (const [what, share] of CUT) {
    it(`is accepted but fails its jobs when it is cut at ${what} of its bytes`, async () => {
      const file = await jpeg();
      const { status, error, attempts } = await prepared(file.subarray(0, file.length * share));
      assert.deepEqual(
        [status, error, attempts],
        ["FAILED", { code: "PHOTO_UNREADABLE", message: DAMAGED }, 1],
      );
    });
  }

  it("has crashed no child process and logged no error so far", () => {
    assert.deepEqual(
      service.logged.filter((line) => Number(line["level"]) >= 50 || "childPid" in line),
      [],
    );
  });

  it(
    "crashes two decoders, then fails permanently without an effect on other jobs",
    { skip: NO_PROC },
    async (t) => {
      const [killer, neighbour] = await Promise.all(
        [noise(2500, 2000).png({ compressionLevel: 1 }).toBuffer(), jpeg()].map(
          async (bytes) => (await person.upload(await bytes)).json["id"],
        ),
      );
      const decoders = killDecoders(String(killer));
      t.after(() => decoders.stop());
      const thumbnails = (photoId: unknown, parameters = {}) =>
        person.enqueue("thumbnail", parameters, { photoIds: [photoId] });
      const { id } = await thumbnails(killer);
      const others = await Promise.all(
        Array.from({ length: 12 }, (_, index) => thumbnails(neighbour, { widths: [100 + index] })),
      );
      const { status, error, attempts } = await person.finished(id, 60_000);
      decoders.stop();
      assert.deepEqual(
        [status, error, attempts, decoders.deaths],
        ["FAILED", { code: "PHOTO_UNREADABLE", message: CRASHED }, 2, 2],
      );
      for (const other of [...others, await thumbnails(neighbour)]) {
        const ended = await person.finished(other.id);
        assert.deepEqual([ended.status, ended.attempts], ["SUCCESS", 1]);
      }
      assert.equal(service.logged.filter((line) => "childPid" in line).length, 2);
      assert.deepEqual(
        service.logged.filter((line) => Number(line["level"]) >= 50),
        [],
      );
    },
  );

  async function prepared(bytes: Buffer): Promise<QueuedJobFields> {
    const { status, json } = await person.upload(bytes, { filename: "photo.jpg" });
    assert.equal(status, 201, String(json["message"]));
    const { id } = await person.enqueue("prepare", {}, { photoIds: [json["id"]] });
    return person.finished(id, 60_000);
  }
});
