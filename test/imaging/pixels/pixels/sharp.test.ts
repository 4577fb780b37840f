import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sharp } from "../../../../src/imaging/pixels/pixels.js";

describe("the image library", () => {
  it("never opens an SVG, which could refer to other files", async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" ' +
      'height="9"/></svg>';
    await assert.rejects(sharp(Buffer.from(svg)).metadata(), /unsupported image format/);
  });

  it("uses one core and no cache", () => {
    assert.equal(sharp.concurrency(), 1);
    assert.deepEqual(sharp.cache().items, { current: 0, max: 0 });
  });
});
