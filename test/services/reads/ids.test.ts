import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inChunks, isUuid, parseId } from "../../../src/services/reads/ids.js";
import { BROKEN_IDS } from "../../support/asserts/broken-ids.js";
import { refusalOf } from "../../support/asserts/refusal-of.js";

const ID = "0198f3a0-0000-7000-8000-00000000000a";
const parse = async (...args: Parameters<typeof parseId>) => parseId(...args);

describe("ids", () => {
  it("are UUIDs, and are returned in lower case", () => {
    assert.equal(parseId(ID.toUpperCase()), ID);
    assert.ok(isUuid(ID));
  });

  for (const id of [...BROKEN_IDS, `${ID}\n`, ` ${ID}`]) {
    it(`exclude ${JSON.stringify(id)}`, async () => {
      assert.equal(isUuid(id), false);
      assert.deepEqual(await refusalOf(parse(id)), {
        code: "BAD_USER_INPUT",
        message: "id: is not an id: ids are UUIDs",
        issues: [{ path: ["id"], message: "is not an id: ids are UUIDs" }],
      });
    });
  }

  it("are read once each, a thousand at a time", async () => {
    const asked: string[][] = [];
    const ids = Array.from({ length: 4500 }, (_, i) => String(i % 2250));
    const rows = await inChunks(ids, async (some) => {
      asked.push(some);
      return some.map(Number);
    });
    assert.deepEqual(
      asked.map(({ length }) => length),
      [1000, 1000, 250],
    );
    assert.deepEqual(
      rows,
      Array.from({ length: 2250 }, (_, i) => i),
    );
    assert.deepEqual(await inChunks([], () => assert.fail("nothing is asked for")), []);
  });

  it("are refused with the path of the caller", async () =>
    assert.deepEqual((await refusalOf(parse("x", ["userId"]))).issues?.[0]?.path, ["userId"]));
});
