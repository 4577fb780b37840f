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
/**
 * Of WebP, GIF and TIFF the reader of headers goes through the whole file, and a TIFF written in
 * one go lists its parts at the end.
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

function assertUnreadable(outcome: unknown, message: string, what: string): void {
  assert(outcome instanceof PhotoUnreadableError, `${what}: ${String(outcome)}`);
  assert.equal(outcome.message, message, what);
}

/**
 * What a photo may turn into when a bit of it is another: a picture of its own size, or one of the
 * plain sentences.
 */
function assertReadOrRefused(outcome: DecodedPhoto | Error, what: string): void {
  if (outcome instanceof PhotoUnreadableError)
    return assert(
      outcome.message === PICTURE ||
        /^(The header of this \w+ file cannot be read:|This is not a photo)/.test(outcome.message),
      `${what}: ${outcome.message}`,
    );
  if (outcome instanceof Error)
    return assert.match(
      `${outcome.name}: ${outcome.message}`,
      /^PhotoTooLargeError: The (photo|file) /,
      `${what}: ${outcome.stack}`,
    );
  const { pixels, warnings } = outcome;
  assert.equal(pixels.data.length, pixels.width * pixels.height * pixels.channels, what);
  assert.deepEqual(
    warnings.filter((warning) => !WARNINGS.includes(warning)),
    [],
    what,
  );
}

for (const [name, title, make, cutAt] of FORMATS) {
  describe(`${name} that is damaged`, () => {
    let whole: Buffer;
    before(async () => {
      whole = await make();
    });

    it("is read without a warning as long as it is not", async () => {
      const { pixels, warnings } = await decode(whole);
      assert.deepEqual([pixels.height > 60, warnings], [true, []]);
    });

    it(`is refused when it is cut at ${SHARES.map((share) => `${100 * share} %`).join(", ")}`, async () => {
      for (const [index, share] of SHARES.entries())
        assertUnreadable(
          await outcomeOf(whole.subarray(0, Math.floor(whole.length * share))),
          cutAt(title)[index] ?? "",
          `${share}`,
        );
    });

    it("is read or refused, and nothing else, whichever of its bits is flipped", async () => {
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
