import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bounded, MAX_SCALE, WHOLE, zoomAt } from "../../../../src/console/views/lightbox/zoom.js";

describe("the zoom of the full view", () => {
  it("keeps the point under the pointer where it is", () => {
    const zoomed = zoomAt(WHOLE, 2, { x: 100, y: -50 });
    assert.deepEqual(zoomed, { scale: 2, x: -100, y: 50 });
  });

  it("stays between the whole picture and the largest scale", () => {
    assert.deepEqual(zoomAt({ scale: 2, x: 9, y: 9 }, 0.1, { x: 0, y: 0 }), WHOLE);
    assert.equal(zoomAt(WHOLE, 1000, { x: 0, y: 0 }).scale, MAX_SCALE);
  });

  it("lets no edge come farther in than the stage's own", () => {
    const [picture, stage] = [
      { width: 400, height: 300 },
      { width: 500, height: 300 },
    ];
    assert.deepEqual(bounded({ scale: 2, x: 999, y: -999 }, picture, stage), {
      scale: 2,
      x: 150,
      y: -150,
    });
    assert.deepEqual(bounded({ scale: 1, x: 9, y: 9 }, picture, stage), WHOLE);
  });
});
