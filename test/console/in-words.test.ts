import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ago, moment } from "../../src/console/in-words.js";
import { dayName } from "../../src/console/grid/day-names.js";

const NOW = new Date("2026-11-30T12:00:00");
const at = (text: string): string => new Date(text).toISOString();

describe("times in words", () => {
  it("have the date unless it is today, and the year unless it is this one", () => {
    assert.equal(moment(at("2026-11-30T10:42:07"), NOW), "10:42:07");
    assert.equal(moment(at("2026-11-29T10:42:07"), NOW), "29 Nov, 10:42");
    assert.equal(moment(at("2027-11-30T10:00:00"), NOW), "30 Nov 2027, 10:00");
  });

  it("say how long ago an instant was", () => {
    const before = (ms: number): string =>
      ago(new Date(NOW.getTime() - ms).toISOString(), NOW.getTime());
    assert.deepEqual([2000, 12_000, 125_000, 7_300_000].map(before), [
      "now",
      "12 s ago",
      "2 min ago",
      "2 h ago",
    ]);
    assert.match(before(3 * 86_400_000), /^27 Nov/);
  });

  it("name days by their weekday within this year", () => {
    assert.equal(dayName("2026-11-30", NOW), "Today");
    assert.equal(dayName("2026-11-29", NOW), "Sun 29 Nov");
    assert.equal(dayName("2024-02-29", NOW), "29 Feb 2024");
    assert.equal(dayName("undated", NOW), "No date");
  });
});
