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
  it("repairs a JPEG without its end marker, with a warning", async () => {
    const whole = await noise(120, 80).jpeg().toBuffer();
    const [expected, repaired] = [await decode(whole), await decode(whole.subarray(0, -2))];
    assert.deepEqual(repaired.warnings, ["repaired: end marker missing"]);
    assert(repaired.pixels.data.equals(expected.pixels.data));
    assert.deepEqual(expected.warnings, []);
  });

  it("rejects a JPEG that is cut", async () => {
    const whole = await noise(120, 80).jpeg().toBuffer();
    for (const share of [0.3, 0.6, 0.95])
      await assert.rejects(decode(whole.subarray(0, whole.length * share)), damaged);
  });

  it("rejects a progressive JPEG that is cut", async () => {
    const whole = await noise(120, 80).jpeg({ progressive: true }).toBuffer();
    await assert.rejects(decode(whole.subarray(0, whole.length * 0.7)), damaged);
  });

  it("rejects a HEIC that is cut or whose coded picture is overwritten", async () => {
    for (const file of [tiledHeic().subarray(0, -1), withGarbage(quadrantsHeic())])
      await assert.rejects(decode(file), damaged);
    // Here the cut also removed the EXIF block, which the header reader reports.
    await assert.rejects(
      decode(quadrantsHeic().subarray(0, -40)),
      (error) => error instanceof PhotoUnreadableError && /damaged or cut off/.test(error.message),
    );
  });

  it("rejects an AVIF that is cut", async () => {
    for (const file of [twoPictureAvif(), await noise(120, 80).avif({ effort: 0 }).toBuffer()])
      await assert.rejects(decode(file.subarray(0, -20)), damaged);
  });

  it("rejects a PNG that is cut, or has fewer pixels than its header declares", async () => {
    const whole = await noise(120, 80).png().toBuffer();
    await assert.rejects(decode(whole.subarray(0, whole.length * 0.6)), damaged);
    await assert.rejects(
      decode(makePng({ width: 500, height: 500, colorType: 2, samples: Buffer.alloc(1500) })),
      damaged,
    );
  });

  it("returns the readable part of a damaged photo, with a warning", async () => {
    const whole = await quadrants(40, 20).jpeg({ quality: 95 }).toBuffer();
    const stuffed = Buffer.concat([whole.subarray(0, 20), Buffer.alloc(3), whole.subarray(20)]);
    const png = await quadrants(40, 20).png().toBuffer();
    // Changes the last byte of the checksum of the pixels.
    png.writeUInt8(png.readUInt8(png.indexOf("IEND") - 5) ^ 1, png.indexOf("IEND") - 5);
    for (const file of [stuffed, png]) {
      const { pixels, warnings } = await decode(file);
      await assertQuadrants(await asPng(pixels));
      assert.deepEqual(warnings, ["damaged: parts of the picture may be wrong"]);
    }
  });

  it("treats a photo with a broken colour profile as sRGB, with a warning", async () => {
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

  it("accepts a JPEG with data after its end", async () => {
    const whole = await quadrants(40, 20).jpeg({ quality: 95 }).toBuffer();
    const { pixels, warnings } = await decode(
      Buffer.concat([whole, Buffer.from("PK\x03\x04 and more")]),
    );
    await assertQuadrants(await asPng(pixels));
    assert.deepEqual(warnings, []);
  });

  it("rejects a photo that is too large before it decodes it", async () => {
    await assert.rejects(
      decode(makePng({ width: 20_000, height: 20_000, colorType: 2, samples: Buffer.alloc(0) })),
      (error) => error instanceof PhotoTooLargeError && /400 megapixels/.test(error.message),
    );
  });
});
