import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decode, isBlurhashValid } from "blurhash";
import { thumbHashToApproximateAspectRatio, thumbHashToRGBA } from "thumbhash";
import { PhotoUnreadableError } from "../../src/domain/errors.js";
import { sharp } from "../../src/imaging/pixels/pixels.js";
import { placeholder } from "../../src/tasks/placeholder/task.js";
import { makePng } from "../imaging/make-png.js";
import {
  assertColor,
  assertRoughQuadrants,
  quadrants,
  storedQuadrants,
} from "../imaging/quadrants.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runTask } from "./run-task.js";

const folder = temporaryFolder();
const run = async (bytes: Uint8Array) =>
  (await runTask(placeholder, folder.write(bytes), {})).result;

const flat = (background: string | { r: number; g: number; b: number; alpha: number }) =>
  sharp({ create: { width: 90, height: 90, channels: 4, background } })
    .png()
    .toBuffer();
async function averageOf(...rgba: number[]): Promise<string> {
  return (
    await run(
      makePng({ width: rgba.length / 4, height: 1, colorType: 6, samples: Uint8Array.from(rgba) }),
    )
  ).averageColor;
}

describe("a placeholder", () => {
  it("has a thumbhash that shows the picture", async () => {
    const { thumbhash } = await run(await quadrants(600, 400).jpeg().toBuffer());
    const bytes = Buffer.from(thumbhash, "base64");
    assert(Math.abs(thumbHashToApproximateAspectRatio(bytes) - 1.5) < 0.2);
    const { w, h, rgba } = thumbHashToRGBA(bytes);
    await assertRoughQuadrants(
      await sharp(Buffer.from(rgba), { raw: { width: w, height: h, channels: 4 } })
        .png()
        .toBuffer(),
    );
  });

  it("has the thumbhash that the format's description defines for flat grey", async () => {
    // 63 · 128/255 rounds to 32; no colour is 31.5, which rounds to 32 twice. No waves give 32 | 32
    // << 6 | 32 << 12 = 0x020820, then 7 × 7 waves.
    assert.equal(
      Buffer.from((await run(await flat("#808080"))).thumbhash, "base64")
        .subarray(0, 5)
        .toString("hex"),
      "2008020700",
    );
  });

  it("has a thumbhash with transparency", async () => {
    const { rgba } = thumbHashToRGBA(
      Buffer.from((await run(await flat({ r: 255, g: 0, b: 0, alpha: 0.4 }))).thumbhash, "base64"),
    );
    assert(Math.abs((rgba[3] ?? 0) - 102) < 20, String(rgba[3]));
  });

  it("has a blurhash of 4 × 3 components that shows the picture", async () => {
    const { blurhash } = await run(await quadrants(600, 400).jpeg().toBuffer());
    assert.deepEqual(isBlurhashValid(blurhash), { result: true });
    assert.equal(blurhash.length, 28);
    assert.equal(blurhash[0], "L");
    // So few waves are not exact, but the strongest channel is right: red at the top left, then
    // green, blue, and yellow without blue.
    const pixels = decode(blurhash, 60, 40);
    const at = (x: number, y: number) => [
      ...pixels.subarray(4 * (60 * y + x), 4 * (60 * y + x) + 3),
    ];
    const leading = [at(15, 10), at(45, 10), at(15, 30)].map((color) =>
      color.indexOf(Math.max(...color)),
    );
    assert.deepEqual(leading, [0, 1, 2]);
    assert.equal(at(45, 30).indexOf(Math.min(...at(45, 30))), 2);
  });

  it("has a blurhash on white for a transparent picture", async () => {
    const { blurhash } = await run(await flat({ r: 0, g: 0, b: 0, alpha: 0 }));
    assertColor([...decode(blurhash, 1, 1).subarray(0, 3)], [255, 255, 255], 2);
  });

  it("has a tiny WebP for a page's markup", async () => {
    const { lqip } = await run(await quadrants(600, 400).jpeg().toBuffer());
    assert.match(lqip, /^data:image\/webp;base64,[A-Za-z0-9+/]+=*$/);
    assert(lqip.length < 300, String(lqip.length));
    const bytes = Buffer.from(lqip.slice("data:image/webp;base64,".length), "base64");
    const { format, width, height } = await sharp(bytes).metadata();
    assert.deepEqual([format, width, height], ["webp", 16, 11]);
    await assertRoughQuadrants(bytes);
  });

  it("has the mean colour, weighted by opacity", async () => {
    assert.equal(await averageOf(200, 0, 10, 255, 100, 50, 20, 255), "#96190f");
    assert.equal(await averageOf(200, 0, 10, 255, 100, 50, 20, 0), "#c8000a");
    assert.equal(await averageOf(200, 0, 10, 0), "#000000");
  });

  it("has the aspect ratio of the upright photo", async () => {
    const { data, raw } = storedQuadrants(600, 400, 6);
    assert.equal(
      (await run(await sharp(data, { raw }).withMetadata({ orientation: 6 }).jpeg().toBuffer()))
        .aspectRatio,
      1.5,
    );
  });

  it("accepts no parameters", () => {
    assert.deepEqual(placeholder.parameters.parse({}), {});
    assert.equal(placeholder.parameters.safeParse({ size: 1 }).success, false);
  });

  it("is rejected for files that are not photos", async () => {
    await assert.rejects(
      run(Buffer.from("hello")),
      (error) => error instanceof PhotoUnreadableError && /text, not a photo/.test(error.message),
    );
  });
});
