import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { heifIsWhole } from "../../../../src/imaging/formats/heif.js";
import { sharp } from "../../../../src/imaging/pixels/pixels.js";
import { quadrantsHeic, tiledHeic, twoPictureAvif, veiledHeic } from "../../heif-files.js";
import { noSharedPhotos, sharedPhotos } from "../../shared-photos.js";

describe("a HEIF file", () => {
  it("is complete as any program wrote it, also with data after it", async () => {
    const byOthers = await sharp({
      create: { width: 90, height: 60, channels: 3, background: "#369" },
    })
      .avif()
      .toBuffer();
    for (const file of [quadrantsHeic(), veiledHeic(), tiledHeic(), twoPictureAvif(), byOthers]) {
      assert(heifIsWhole(file));
      assert(
        heifIsWhole(
          Buffer.concat([file, Buffer.from("\0\0\xff\xffmpvd and a video that is cut", "latin1")]),
        ),
      );
    }
  });

  it("is incomplete when it is cut at any place", () => {
    for (const file of [quadrantsHeic(), tiledHeic(), twoPictureAvif()]) {
      for (let length = 0; length < file.length; length++)
        assert(!heifIsWhole(file.subarray(0, length)), `${length} bytes of ${file.length}`);
    }
  });

  it("is incomplete when its list of extents is invalid", () => {
    for (const noise of [
      Buffer.alloc(0),
      Buffer.alloc(100),
      Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1"),
    ])
      assert(!heifIsWhole(noise));
  });

  it("is checked quickly, even when its list claims billions of empty extents", () => {
    // 65,535 items with 65,535 extents each, whose offset and length take zero bytes.
    const items = Buffer.concat(
      Array.from({ length: 65_535 }, () => Buffer.from([0, 1, 0, 0, 0xff, 0xff])),
    );
    const list = box("iloc", Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0xff, 0xff]), items]));
    const began = Date.now();
    heifIsWhole(
      Buffer.concat([
        box("ftyp", Buffer.from("heic\0\0\0\0mif1heic")),
        box("meta", Buffer.concat([Buffer.alloc(4), list])),
      ]),
    );
    assert(Date.now() - began < 2000, `${Date.now() - began} ms`);
  });

  it("is distinguished from a cut file, also from an iPhone", { skip: noSharedPhotos }, () => {
    const file = readFileSync(`${sharedPhotos}IMG_5195.HEIC`);
    assert(heifIsWhole(file));
    for (const share of [0.001, 0.1, 0.5, 0.99])
      assert(!heifIsWhole(file.subarray(0, file.length * share)));
    assert(!heifIsWhole(file.subarray(0, -1)));
  });
});

function box(type: string, content: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(8 + content.length);
  return Buffer.concat([size, Buffer.from(type), content]);
}
