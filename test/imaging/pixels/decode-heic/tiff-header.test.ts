import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sharp } from "../../../../src/imaging/pixels/pixels.js";
import { tiffHeader } from "../../../../src/imaging/pixels/decode-heic.js";

describe("the header of a TIFF in memory", () => {
  it("lets the image library read the pixels after it", async () => {
    for (const channels of [3, 4] as const) {
      for (const iccProfile of [null, await p3()]) {
        const pixels = Buffer.from(Array.from({ length: 5 * 3 * channels }, (_, at) => 7 * at));
        const file = Buffer.concat([
          tiffHeader({ width: 5, height: 3, channels, premultiplied: false, iccProfile }),
          pixels,
        ]);
        const { format, width, height, icc, hasAlpha, space } = await sharp(file).metadata();
        assert.deepEqual(
          [format, width, height, hasAlpha, space, icc],
          ["tiff", 5, 3, channels === 4, "srgb", iccProfile ?? undefined],
        );
        if (iccProfile === null) assert.deepEqual(await sharp(file).raw().toBuffer(), pixels);
      }
    }
  });
});

async function p3(): Promise<Buffer> {
  const { icc } = await sharp(
    await sharp({ create: { width: 1, height: 1, channels: 3, background: "#000" } })
      .withIccProfile("p3")
      .png()
      .toBuffer(),
  ).metadata();
  return icc ?? assert.fail("no profile");
}
