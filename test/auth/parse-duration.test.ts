import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "../../src/auth/parse-duration.js";

test("reads seconds, minutes, hours and days", () => {
  const texts = {
    "90s": 90,
    "30m": 1800,
    "1h": 3600,
    "2d": 172_800,
    " 5s ": 5,
    "3650d": 315_360_000,
  };
  for (const [text, seconds] of Object.entries(texts))
    assert.equal(parseDuration(text), seconds, text);
});

test("says what is expected if a text is not a duration", () => {
  for (const text of [
    "",
    "1",
    "h",
    "1 h",
    "1w",
    "1.5h",
    "-1h",
    "0s",
    "1h30m",
    "3651d",
    "9999999999999s",
    "1H",
    "toString",
  ]) {
    const message =
      `${JSON.stringify(text)} is not a duration: a whole number with a unit is expected, ` +
      "such as 90s, 30m, 1h or 2d (3650d at most).";
    assert.throws(() => parseDuration(text), { message });
  }
});
