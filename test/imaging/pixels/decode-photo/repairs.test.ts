// What can be shown of a damaged photo, and what is refused.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhotoTooLargeError, PhotoUnreadableError } from "../../../../src/domain/errors.js";
import { quadrantsHeic, tiledHeic, twoPictureAvif, withGarbage } from "../../heif-files.js";
import { makePng } from "../../make-png.js";
import { noise } from "../../noise.js";
import { assertQuadrants, quadrants } from "../../quadrants.js";
import { asPng, createDecode } from "./decode-bytes.js";

const decode = createDecode();

function damaged(error: unknown): boolean {
  assert(error instanceof PhotoUnreadableError, String(error));
  assert.equal(
    error.message,
    "The photo is damaged or cut off: its header is fine, but the picture cannot be " +
      "decoded. Upload the original file again.",
  );
  return true;
}

describe("decoding a damaged photo", () => {
  it("repairs a JPEG that lacks only its end marker, and says so", async () => {
    const whole = await noise(120, 80).jpeg().toBuffer();
    const [expected, repaired] = [await decode(whole), await decode(whole.subarray(0, -2))];
    assert.deepEqual(repaired.warnings, ["repaired: end marker missing"]);
    assert(repaired.pixels.data.equals(expected.pixels.data));
    assert.deepEqual(expected.warnings, []);
  });

  it("refuses a JPEG that is cut", async () => {
    const whole = await noise(120, 80).jpeg().toBuffer();
    for (const share of [0.3, 0.6, 0.95])
      await assert.rejects(decode(whole.subarray(0, whole.length * share)), damaged);
  });

  it("refuses a progressive JPEG that is cut", async () => {
    const whole = await noise(120, 80).jpeg({ progressive: true }).toBuffer();
    await assert.rejects(decode(whole.subarray(0, whole.length * 0.7)), damaged);
  });

  it("refuses a HEIC that is cut, and one whose coded picture is garbage", async () => {
    for (const file of [tiledHeic().subarray(0, -1), withGarbage(quadrantsHeic())])
      await assert.rejects(decode(file), damaged);
    // Here the cut has taken the EXIF block too, which the header's reader misses.
    await assert.rejects(
      decode(quadrantsHeic().subarray(0, -40)),
      (error) => error instanceof PhotoUnreadableError && /damaged or cut off/.test(error.message),
    );
  });

  it("refuses an AVIF that is cut", async () => {
    for (const file of [twoPictureAvif(), await noise(120, 80).avif({ effort: 0 }).toBuffer()])
      await assert.rejects(decode(file.subarray(0, -20)), damaged);
  });

  it("refuses a PNG that is cut, or that holds less than it promises", async () => {
    const whole = await noise(120, 80).png().toBuffer();
    await assert.rejects(decode(whole.subarray(0, whole.length * 0.6)), damaged);
    await assert.rejects(
      decode(makePng({ width: 500, height: 500, colorType: 2, samples: Buffer.alloc(1500) })),
      damaged,
    );
  });

  it("shows what can be read of a damaged photo, and says so", async () => {
    const whole = await quadrants(40, 20).jpeg({ quality: 95 }).toBuffer();
    const stuffed = Buffer.concat([whole.subarray(0, 20), Buffer.alloc(3), whole.subarray(20)]);
    const png = await quadrants(40, 20).png().toBuffer();
    // The last byte of the checksum of the pixels.
    png.writeUInt8(png.readUInt8(png.indexOf("IEND") - 5) ^ 1, png.indexOf("IEND") - 5);
    for (const file of [stuffed, png]) {
      const { pixels, warnings } = await decode(file);
      await assertQuadrants(await asPng(pixels));
      assert.deepEqual(warnings, ["damaged: parts of the picture may be wrong"]);
    }
  });

  it("takes a photo with a broken colour profile for sRGB, and says so", async () => {
    const whole = await quadrants(40, 20).jpeg({ quality: 95 }).toBuffer();
    const block = Buffer.concat([
      Buffer.from("\xff\xe2\x01\xa0ICC_PROFILE\0\x01\x01", "latin1"),
      Buffer.alloc(400, "no profile "),
    ]);
    const { pixels, warnings } = await decode(
      Buffer.concat([whole.subarray(0, 2), block, whole.subarray(2)]),
    );
    await assertQuadrants(await asPng(pixels));
    assert.deepEqual(warnings, ["ignored: the colour profile is broken"]);
  });

  it("takes a JPEG with something appended", async () => {
    const whole = await quadrants(40, 20).jpeg({ quality: 95 }).toBuffer();
    const { pixels, warnings } = await decode(
      Buffer.concat([whole, Buffer.from("PK\x03\x04 and more")]),
    );
    await assertQuadrants(await asPng(pixels));
    assert.deepEqual(warnings, []);
  });

  it("refuses what is too large before it decodes", async () => {
    await assert.rejects(
      decode(makePng({ width: 20_000, height: 20_000, colorType: 2, samples: Buffer.alloc(0) })),
      (error) => error instanceof PhotoTooLargeError && /400 megapixels/.test(error.message),
    );
  });
});
