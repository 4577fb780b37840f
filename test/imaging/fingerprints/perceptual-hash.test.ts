import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodePreview } from "../../../src/imaging/pixels/decode-photo.js";
import { perceptualHashOf } from "../../../src/imaging/fingerprints/perceptual-hash.js";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { scene } from "../scene.js";
import { temporaryFolder } from "../temporary-folder.js";

const folder = temporaryFolder();
const hashOf = async (path: string) =>
  perceptualHashOf((await decodePreview(path, { maxPixels: 100_000_000 })).pixels);
const hashOfBytes = (bytes: Uint8Array) => hashOf(folder.write(bytes));

/** Functions that turn an upright picture into the stored pixels of EXIF orientations 1 to 8. */
const TURNS: ((upright: Buffer) => Promise<Buffer>)[] = [
  async (upright) => upright,
  (upright) => sharp(upright).flop().toBuffer(),
  (upright) => sharp(upright).rotate(180).toBuffer(),
  (upright) => sharp(upright).flip().toBuffer(),
  async (upright) =>
    sharp(await sharp(upright).rotate(90).toBuffer())
      .flop()
      .toBuffer(),
  (upright) => sharp(upright).rotate(270).toBuffer(),
  async (upright) =>
    sharp(await sharp(upright).rotate(270).toBuffer())
      .flop()
      .toBuffer(),
  (upright) => sharp(upright).rotate(90).toBuffer(),
];

function distance(one: string | null, other: string | null): number {
  assert(one !== null && other !== null);
  return [...(BigInt(`0x${one}`) ^ BigInt(`0x${other}`)).toString(2)].filter((bit) => bit === "1")
    .length;
}

describe("the perceptual hash", () => {
  it("has 16 hex digits; the first bit is 0, and about half of the others are 1", async () => {
    const hash = await hashOfBytes(await scene(1));
    assert.match(hash ?? "", /^[0-7][0-9a-f]{15}$/);
    assert.equal(distance(hash, "0000000000000000"), 31);
  });

  it("is similar for resized and recompressed copies", async () => {
    const original = await scene(2);
    const hash = await hashOfBytes(original);
    for (const copy of [
      sharp(original).jpeg({ quality: 30 }),
      sharp(original).resize(200).webp(),
      sharp(original).resize(350, 300, { fit: "fill" }).avif(),
    ]) {
      assert(distance(hash, await hashOfBytes(await copy.toBuffer())) <= 6);
    }
  });

  it("is different for other and for mirrored pictures", async () => {
    const original = await scene(3);
    const hash = await hashOfBytes(original);
    assert(distance(hash, await hashOfBytes(await scene(4))) >= 16);
    assert(distance(hash, await hashOfBytes(await sharp(original).flop().png().toBuffer())) >= 16);
  });

  it("is null for flat pictures, whose hash would be noise", async () => {
    for (const background of ["#ffffff", "#000000", "#3366aa"]) {
      assert.equal(
        await hashOfBytes(
          await sharp({ create: { width: 300, height: 200, channels: 3, background } })
            .jpeg()
            .toBuffer(),
        ),
        null,
      );
    }
  });

  it("has its highest bit for a picture with only the lowest wave", async () => {
    // The picture is one half wave from left to right. So only the frequencies of row 0 differ from
    // zero, and F(1, 0) is the largest.
    const raw = { width: 512, height: 512, channels: 3 as const };
    const data = Buffer.alloc(512 * 512 * 3).map(
      (_, at) => 128 + 100 * Math.cos((((Math.floor(at / 3) % 512) + 0.5) * Math.PI) / 512),
    );
    const hash = await hashOfBytes(await sharp(data, { raw }).png().toBuffer());
    assert.equal(BigInt(`0x${hash}`) >> 62n, 1n);
  });

  it("is the same within 2 bits for one scene in all eight orientations", async () => {
    const upright = await scene(6);
    const stored = TURNS.map(async (turn, i) =>
      sharp(await turn(upright))
        .withMetadata({ orientation: i + 1 })
        .jpeg()
        .toBuffer(),
    );
    const hashes = await Promise.all(stored.map(async (bytes) => hashOfBytes(await bytes)));
    for (const hash of hashes) assert(distance(hash, hashes[0] ?? null) <= 2, hashes.join(" "));
    const unmarked = await sharp(await TURNS[5]?.(upright))
      .jpeg()
      .toBuffer();
    assert(distance(hashes[0] ?? null, await hashOfBytes(unmarked)) >= 16);
  });
});
