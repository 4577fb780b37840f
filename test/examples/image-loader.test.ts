import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { imageLoader } from "../../examples/image-loader.js";

describe("the loader for next/image", () => {
  it("chooses the next wider image, and the widest for more", () => {
    const load = imageLoader("/a?exp=1&sig=x 64w, /b?exp=1&sig=y 128w, /c?exp=1&sig=z 300w");
    const chosen = [16, 64, 65, 300, 5000].map((width) => load({ width }).slice(0, 2));
    assert.deepEqual(chosen, ["/a", "/a", "/b", "/c", "/c"]);
  });
});
