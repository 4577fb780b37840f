import assert from "node:assert/strict";
import { describe, it } from "node:test";
import sharp from "sharp";
import { renderHalfBlocks } from "../../../src/imaging/pixels/half-blocks.js";

describe("a picture in the terminal", () => {
  it("has two pixels per character: the upper as foreground, the lower as background", async () => {
    const pixels = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]);
    const png = await sharp(pixels, { raw: { width: 2, height: 2, channels: 3 } })
      .png()
      .toBuffer();
    assert.equal(
      await renderHalfBlocks(png, 2),
      "  \u001b[38;2;255;0;0;48;2;0;0;255m▀\u001b[38;2;0;255;0;48;2;255;255;255m▀\u001b[0m\n",
    );
  });
});
