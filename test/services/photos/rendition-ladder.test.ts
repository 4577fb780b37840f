import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  findRendition,
  LADDER,
  renditionAt,
  renditionsUpTo,
  renditionWidths,
} from "../../../src/services/photos/rendition-ladder.js";

const size = (width: number, height: number) => ({ width, height });

describe("the ladder of widths", () => {
  it("ends with the photo's own width, or with 3840", () => {
    const landscape = size(1000, 750);
    assert.deepEqual(renditionWidths(landscape, "webp"), [64, 128, 256, 384, 512, 640, 768, 1000]);
    assert.deepEqual(renditionWidths(size(1024, 10), "webp").slice(-2), [768, 1024]);
    assert.deepEqual(renditionWidths(size(6000, 4000), "avif"), [...LADDER]);
    assert.deepEqual(renditionWidths(size(1, 1), "jpeg"), [1]);
  });

  it("rounds a width up to the next step, and never above the photo's own", () => {
    const photo = size(1000, 750);
    for (const [asked, width] of [
      [1, 64],
      [64, 64],
      [65, 128],
      [769, 1000],
      [5000, 1000],
    ] as const)
      assert.equal(renditionAt(photo, "webp", asked).width, width);
    assert.equal(renditionAt(size(9000, 9000), "webp", 5000).width, 3840);
    assert.equal(renditionAt(size(300, 100), "jpeg", 128).height, 43);
  });

  it("keeps a tall picture within the height that WebP allows", () => {
    const tall = size(1000, 30_000);
    assert.deepEqual(renditionAt(tall, "webp", 1000), {
      name: "546.webp",
      width: 546,
      height: 16_380,
      format: "webp",
      mimeType: "image/webp",
    });
    assert.equal(renditionAt(tall, "jpeg", 1000).name, "1000.jpg");
  });

  it("lists the widths up to a maximum, at least the narrowest", () => {
    const widths = (maxWidth?: number) =>
      renditionsUpTo(size(1000, 750), "webp", maxWidth).map(({ width }) => width);
    assert.deepEqual(widths(300), [64, 128, 256]);
    assert.deepEqual(widths(256), [64, 128, 256]);
    assert.deepEqual(widths(1), [64]);
    assert.equal(widths().at(-1), 1000);
  });

  it("knows the names of its renditions and no other name", () => {
    const photo = size(1000, 750);
    for (const format of ["avif", "webp", "jpeg"] as const)
      for (const rendition of renditionsUpTo(photo, format))
        assert.deepEqual(findRendition(photo, rendition.name), rendition);
    for (const name of [
      "",
      "64",
      "64.png",
      "65.webp",
      "1024.webp",
      "064.webp",
      "64.0.webp",
      "64.webp.webp",
      "6.4e1.webp",
      "64.WEBP",
      " 64.webp",
      "constructor.webp",
    ])
      assert.equal(findRendition(photo, name), null, name);
  });
});
