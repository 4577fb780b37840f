import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lacksMemory } from "../../src/child-pool/exit-reason.js";

describe("lacksMemory", () => {
  for (const text of [
    "VipsJpeg: out of memory -- size == 412MB",
    "unable to allocate memory",
    "webpsave: unable to encode",
    "GThread: Error creating thread: Resource temporarily unavailable",
    "sink: unable to create thread",
  ])
    it(`treats "${text}" as a lack of memory`, () =>
      assert.equal(lacksMemory(new Error(text)), true));

  for (const text of [
    "VipsJpeg: premature end of JPEG image",
    "memory access out of bounds",
    "ENOENT: no such file or directory",
  ])
    it(`does not treat "${text}" as a lack of memory`, () =>
      assert.equal(lacksMemory(new Error(text)), false));
});
