import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { PhotoUnreadableError } from "../../../../src/domain/errors.js";
import { decodePhoto, type DecodedPhoto } from "../../../../src/imaging/pixels/decode-photo.js";
import { seededRandom } from "../../../support/runner/seeded-random.js";
import { tiledHeic } from "../../heif-files.js";
import { noise } from "../../noise.js";
import { temporaryFolder } from "../../temporary-folder.js";

const folder = temporaryFolder();
const picture = () => noise(160, 120).blur(2);
const header = (title: string) =>
  `The header of this ${title} file cannot be read: it is damaged or cut off. Upload the ` +
  "original file again.";
const PICTURE =
  "The photo is damaged or cut off: its header is fine, but the picture cannot be " +
  "decoded. Upload the original file again.";
const SHARES = [0.1, 0.5, 0.99];
const PERCENT = SHARES.map((share) => `${100 * share} %`).join(", ");
/**
 * The header reader reads whole WebP, GIF and TIFF files, and a TIFF written in one pass lists its
 * parts at the end.
 */
const FORMATS: [
  name: string,
  title: string,
  make: () => Buffer | Promise<Buffer>,
  cutAt: (title: string) => string[],
][] = [
  ["a JPEG", "JPEG", () => picture().jpeg().toBuffer(), () => [PICTURE, PICTURE, PICTURE]],
  [
    "a progressive JPEG",
    "JPEG",
    () => picture().jpeg({ progressive: true }).toBuffer(),
    () => [PICTURE, PICTURE, PICTURE],
  ],
  ["a PNG", "PNG", () => picture().png().toBuffer(), () => [PICTURE, PICTURE, PICTURE]],
  [
    "a WebP",
    "WebP",
    () => picture().webp().toBuffer(),
    (title) => [header(title), header(title), header(title)],
  ],
  [
    "a lossless WebP",
    "WebP",
    () => picture().webp({ lossless: true }).toBuffer(),
    (title) => [header(title), header(title), header(title)],
  ],
  [
    "a GIF",
    "GIF",
    () => picture().gif().toBuffer(),
    (title) => [header(title), header(title), header(title)],
  ],
  [
    "a TIFF",
    "TIFF",
    () => picture().tiff({ compression: "deflate" }).toBuffer(),
    (title) => [header(title), header(title), header(title)],
  ],
  [
    "an AVIF",
    "AVIF",
    () => picture().avif({ effort: 0 }).toBuffer(),
    (title) => [header(title), PICTURE, PICTURE],
  ],
  ["a HEIC", "HEIC", tiledHeic, (title) => [header(title), header(title), PICTURE]],
];
const WARNINGS = [
  "damaged: parts of the picture may be wrong",
  "repaired: end marker missing",
  "first frame of an animation",
  "first page of a document",
];

const decode = (bytes: Buffer) =>
  decodePhoto(folder.write(bytes), { maxPixels: 1_000_000, width: 512, height: 512 });
const outcomeOf = (bytes: Buffer): Promise<DecodedPhoto | Error> =>
  decode(bytes).catch((error: Error) => error);

function assertUnreadable(outcome: unknown, message: string, detail: string): void {
  assert(outcome instanceof PhotoUnreadableError, `${detail}: ${String(outcome)}`);
  assert.equal(outcome.message, message, detail);
}

/** A photo with a flipped bit must give a picture in its size, or one of the known errors. */
function assertReadOrRefused(outcome: DecodedPhoto | Error, detail: string): void {
  if (outcome instanceof PhotoUnreadableError)
    return assert(
      outcome.message === PICTURE ||
        /^(The header of this \w+ file cannot be read:|This is not a photo)/.test(outcome.message),
      `${detail}: ${outcome.message}`,
    );
  if (outcome instanceof Error)
    return assert.match(
      `${outcome.name}: ${outcome.message}`,
      /^PhotoTooLargeError: The (photo|file) /,
      `${detail}: ${outcome.stack}`,
    );
  const { pixels, warnings } = outcome;
  assert.equal(pixels.data.length, pixels.width * pixels.height * pixels.channels, detail);
  assert.deepEqual(
    warnings.filter((warning) => !WARNINGS.includes(warning)),
    [],
    detail,
  );
}

for (const [name, title, make, cutAt] of FORMATS) {
  describe(`decoding ${name}`, () => {
    let whole: Buffer;
    before(async () => {
      whole = await make();
    });

    it("gives no warning when the file is undamaged", async () => {
      const { pixels, warnings } = await decode(whole);
      assert.deepEqual([pixels.height > 60, warnings], [true, []]);
    });

    it(`rejects it when it is cut at ${PERCENT}`, async () => {
      for (const [index, share] of SHARES.entries())
        assertUnreadable(
          await outcomeOf(whole.subarray(0, Math.floor(whole.length * share))),
          cutAt(title)[index] ?? "",
          `${share}`,
        );
    });

    it("returns a picture or rejects with a known error when any bit is flipped", async () => {
      const { below } = seededRandom(7);
      for (let times = title === "HEIC" ? 8 : 16; times > 0; times--) {
        const [at, bit] = [below(whole.length), below(8)];
        const flipped = Buffer.from(whole);
        flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << bit), at);
        assertReadOrRefused(await outcomeOf(flipped), `bit ${bit} of byte ${at}`);
      }
    });
  });
}
