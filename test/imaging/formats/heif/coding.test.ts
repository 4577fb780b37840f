import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { heifCoding } from "../../../../src/imaging/formats/heif.js";
import { sharp } from "../../../../src/imaging/pixels/pixels.js";
import { branded, quadrantsHeic, tiledHeic, twoPictureAvif, veiledHeic } from "../../heif-files.js";

describe("the codec of a HEIF file", () => {
  it("is that of its primary picture or its tiles, whatever the brand", async () => {
    const byOthers = await sharp({
      create: { width: 90, height: 60, channels: 3, background: "#369" },
    })
      .avif()
      .toBuffer();
    for (const file of [
      quadrantsHeic(),
      veiledHeic(),
      tiledHeic(),
      branded(quadrantsHeic(), "avif"),
    ])
      assert.equal(heifCoding(file), "hevc");
    for (const file of [twoPictureAvif(), byOthers, branded(twoPictureAvif(), "mif1")])
      assert.equal(heifCoding(file), "av1");
  });

  it("is null when the header is cut, or the file is not HEIF", () => {
    const file = tiledHeic();
    for (let length = 0; length < file.indexOf("mdat") - 4; length++)
      assert.equal(heifCoding(file.subarray(0, length)), null, `${length} bytes`);
    assert.equal(heifCoding(Buffer.alloc(1000)), null);
  });
});
