import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closeInTurns } from "../../../../src/server/graphql/websocket/closing.js";

describe("closeInTurns", () => {
  it("closes 100 connections at once, the next after a pause, and each once", async () => {
    const held = new Set(Array.from({ length: 250 }, (_, i) => i));
    const closed: number[] = [];
    const startedAt = performance.now();
    const all = closeInTurns(held, (connection) => closed.push(connection));
    assert.equal(closed.length, 100);
    held.clear();
    await all;
    // Two pauses of 20 ms; timers can be slightly early.
    assert.ok(performance.now() - startedAt > 35);
    assert.deepEqual(
      closed,
      Array.from({ length: 250 }, (_, i) => i),
    );
  });
});
