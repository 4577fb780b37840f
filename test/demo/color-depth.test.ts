import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { colorDepthOf } from "../../src/demo/color-depth.js";

const TERMINAL = { isTTY: true };
const PIPE = { isTTY: false };

describe("the colours of the output", () => {
  const CASES: [string, { isTTY: boolean }, Record<string, string>, number][] = [
    ["none on a pipe", PIPE, { COLORTERM: "truecolor" }, 1],
    ["some on a terminal", TERMINAL, { NO_COLOR: "" }, 4],
    ["all with COLORTERM=truecolor", TERMINAL, { COLORTERM: "truecolor" }, 24],
    ["all with COLORTERM=24bit", TERMINAL, { COLORTERM: "24bit" }, 24],
    ["none with NO_COLOR", TERMINAL, { NO_COLOR: "1", COLORTERM: "truecolor" }, 1],
    ["none on a dumb terminal", TERMINAL, { TERM: "dumb" }, 1],
    [
      "those of FORCE_COLOR on a pipe, despite NO_COLOR",
      PIPE,
      { FORCE_COLOR: "3", NO_COLOR: "1" },
      24,
    ],
    ["some with FORCE_COLOR alone", PIPE, { FORCE_COLOR: "" }, 4],
    ["none with FORCE_COLOR=0", TERMINAL, { FORCE_COLOR: "0", COLORTERM: "truecolor" }, 1],
  ];
  for (const [colours, out, env, depth] of CASES)
    it(`are ${colours}`, () => assert.equal(colorDepthOf(out, env), depth));
});
