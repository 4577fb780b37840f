import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { iccProfileIsSound } from "../../../src/imaging/metadata/icc-profile-is-sound.js";
import { sharp } from "../../../src/imaging/pixels/pixels.js";

async function profile(name: "p3" | "srgb" | "cmyk"): Promise<Buffer> {
  const picture = sharp({
    create: { width: 1, height: 1, channels: 3, background: "#000" },
  }).withIccProfile(name);
  const { icc } = await sharp(
    await (name === "cmyk" ? picture.jpeg() : picture.png()).toBuffer(),
  ).metadata();
  return icc ?? assert.fail("no profile");
}

describe("a colour profile", () => {
  it("is sound as a program wrote it", async () => {
    for (const name of ["p3", "srgb", "cmyk"] as const)
      assert(iccProfileIsSound(await profile(name)), name);
  });

  it("is not sound when it is cut, is another file, or has a tag outside of itself", async () => {
    const whole = await profile("p3");
    for (const length of [0, 100, 130, 200, whole.length - 1])
      assert(!iccProfileIsSound(whole.subarray(0, length)), `${length} bytes`);
    assert(!iccProfileIsSound(Buffer.alloc(500, "no profile ")));
    const broken = Buffer.from(whole);
    for (const [at, value] of [
      [36, 0],
      [128, 0],
      [128, 0xffff_ffff],
      [136, 0xffff_ff00],
      [140, 0xffff_ff00],
    ] as const) {
      whole.copy(broken);
      broken.writeUInt32BE(value, at);
      assert(!iccProfileIsSound(broken), `${value} at ${at}`);
    }
  });
});
