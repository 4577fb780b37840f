import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createSlots } from "../../../src/runtime/concurrency.js";

describe("slots", () => {
  it("lets so many in and no more, and the rest as they become free, first come first served", async () => {
    const slots = createSlots(2);
    const inside: number[] = [];
    for (const who of [1, 2, 3, 4]) void slots.take().then(() => inside.push(who));
    await turn();
    assert.deepEqual(inside, [1, 2]);
    slots.free();
    await turn();
    assert.deepEqual(inside, [1, 2, 3]);
    slots.free();
    await turn();
    assert.deepEqual(inside, [1, 2, 3, 4]);
  });

  it("are all there again when everybody has left", async () => {
    const slots = createSlots(2);
    for (let i = 0; i < 5; i++) void slots.take();
    for (let i = 0; i < 5; i++) slots.free();
    await Promise.all([slots.take(), slots.take()]);
    let third = false;
    void slots.take().then(() => (third = true));
    await turn();
    assert.equal(third, false);
  });
});
