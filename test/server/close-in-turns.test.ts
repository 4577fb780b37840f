import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { closeInTurns } from "../../src/server/close-in-turns.js";

describe("closing in turns", () => {
  it("closes a hundred in one moment, the others after a pause, and each once", async () => {
    const held = new Set(Array.from({ length: 250 }, (_, i) => i));
    const closed: number[] = [];
    const all = closeInTurns(held, (one) => closed.push(one));
    assert.equal(closed.length, 100);
    held.clear();
    await turn();
    assert.equal(closed.length, 100);
    await all;
    assert.deepEqual(closed, Array.from({ length: 250 }, (_, i) => i));
  });
});
