import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createSlots } from "../../../src/runtime/concurrency.js";

describe("slots", () => {
  it("admit up to their number, and the rest in order as slots become free", async () => {
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

  it("are all free again after every holder has left", async () => {
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
