import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { photoFactsOf } from "../../../src/imaging/metadata/photo-facts.js";
import type { PhotoTag } from "../../../src/imaging/metadata/read-photo-tags.js";

const tagsOf = (values: Record<string, string | number>): PhotoTag[] =>
  Object.entries(values).map(([name, value]) => ({
    group: "EXIF",
    name,
    value,
    number: typeof value === "number" ? value : null,
  }));
const factsOf = (values: Record<string, string | number>) =>
  photoFactsOf({ tags: tagsOf(values), gps: null });

describe("the facts about a photo", () => {
  it("have make and model in one text, without repeating the maker", () => {
    for (const [Make, Model, camera] of [
      ["Canon", "Canon EOS 5D", "Canon EOS 5D"],
      ["Apple", "iPhone 15", "Apple iPhone 15"],
      ["SONY", "", "SONY"],
      ["", "X100", "X100"],
      ["", "", null],
    ] as const)
      assert.equal(factsOf({ Make, Model }).camera, camera);
  });

  it("have the wall-clock time, and the offset only if the file has it", () => {
    const DateTimeOriginal = "2024:05:06 07:08:09";
    for (const [OffsetTimeOriginal, offset] of [
      ["+05:30", "+05:30"],
      ["Z", "+00:00"],
      ["", null],
    ] as const) {
      const { takenAt, takenAtOffset } = factsOf({ DateTimeOriginal, OffsetTimeOriginal });
      assert.deepEqual([takenAt, takenAtOffset], ["2024-05-06T07:08:09", offset]);
    }
  });

  it("have no time for a day that its month does not have, and for zeros", () => {
    for (const DateTimeOriginal of [
      "2023:02:29 00:00:00",
      "2024:04:31 10:00:00",
      "0000:00:00 00:00:00",
      "2024:01:01 24:00:00",
    ])
      assert.equal(factsOf({ DateTimeOriginal }).takenAt, null);
  });
});
