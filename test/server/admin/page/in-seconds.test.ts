import assert from "node:assert/strict";
import { it } from "node:test";
import { inSeconds } from "../../../../src/server/admin/page.js";

for (const [seconds, text] of [
  [null, ""],
  [Number.NaN, ""],
  [0, "0.000 s"],
  [0.2139, "0.214 s"],
  [12.34, "12.3 s"],
  [119.9, "119.9 s"],
  [300, "5 min"],
  [7200, "2 h"],
] as const) {
  it(`a duration of ${seconds} s is formatted as "${text}"`, () =>
    assert.equal(inSeconds(seconds), text));
}
