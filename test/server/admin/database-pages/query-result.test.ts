import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toCsv } from "../../../../src/server/admin/database-pages.js";

describe("a CSV result", () => {
  it("quotes special characters and leaves null empty", () => {
    assert.equal(
      toCsv(
        ["a", "b,c"],
        [
          ["1", 'say "x"'],
          [null, "two\nlines"],
          ["", "ü"],
        ],
      ),
      'a,"b,c"\r\n1,"say ""x"""\r\n,"two\nlines"\r\n,ü\r\n',
    );
  });

  for (const [value, cell] of [
    ["=1+1", "'=1+1"],
    ["+1+1", "'+1+1"],
    ["-1+1", "'-1+1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\tx", "'\tx"],
    ["\rx", `"'\rx"`],
    ['=cmd|"/c"', `"'=cmd|""/c"""`],
    ["-5", "-5"],
    ["-0.25", "-0.25"],
    ["-1e-7", "-1e-7"],
    ["a=b", "a=b"],
  ] as const) {
    it(`writes ${JSON.stringify(value)} as ${JSON.stringify(cell)}`, () =>
      assert.equal(toCsv([], [[value]]), `\r\n${cell}\r\n`));
  }
});
