import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  choose,
  chosenCount,
  forget,
  isChosen,
  NONE_CHOSEN,
  toggle,
  type Chosen,
} from "../../../src/console/grid/selection.js";

describe("the selection of photos", () => {
  it("selects some photos, and a second click takes one out", () => {
    const two = choose(NONE_CHOSEN, ["a", "b"], true);
    assert.deepEqual([chosenCount(two), isChosen(two, "a"), isChosen(two, "c")], [2, true, false]);
    assert.equal(isChosen(toggle(two, "a"), "a"), false);
  });

  it("selects all that match but those taken out, without knowing their ids", () => {
    const all: Chosen = { kind: "all", total: 2304, except: new Set() };
    const less = toggle(all, "a");
    assert.deepEqual([chosenCount(less), isChosen(less, "a")], [2303, false]);
    assert.equal(isChosen(less, "never seen"), true);
    assert.equal(chosenCount(toggle(less, "a")), 2304);
  });

  it("forgets deleted photos in both cases", () => {
    assert.equal(chosenCount(forget(choose(NONE_CHOSEN, ["a", "b"], true), "a")), 1);
    const all: Chosen = { kind: "all", total: 3, except: new Set(["a"]) };
    assert.equal(chosenCount(forget(all, "b")), 1);
    assert.equal(chosenCount(forget(all, "a")), 2);
  });
});
