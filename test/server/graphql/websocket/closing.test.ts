import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closeInTurns } from "../../../../src/server/graphql/websocket/closing.js";

describe("closing in turns", () => {
  it("closes a hundred in one moment, the others after a pause, and each once", async () => {
    const held = new Set(Array.from({ length: 250 }, (_, i) => i));
    const closed: number[] = [];
    const begun = performance.now();
    const all = closeInTurns(held, (one) => closed.push(one));
    assert.equal(closed.length, 100);
    held.clear();
    await all;
    // Two pauses of 20 ms; timers may be a little early.
    assert.ok(performance.now() - begun > 35);
    assert.deepEqual(
      closed,
      Array.from({ length: 250 }, (_, i) => i),
    );
  });
});
