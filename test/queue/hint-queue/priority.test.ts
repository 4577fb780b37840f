import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hintPriority } from "../../../src/queue/hint-queue.js";

describe("the priority of a hint", () => {
  it("has the values of the table", () => {
    const table: [priority: number, backlog: number, expected: number][] = [
      [100, 0, 1],
      [0, 0, 101],
      [50, 15, 51],
      [100, 16, 102],
      [0, 16, 202],
      [0, 31, 202],
      [0, 32, 303],
      [100, 10_000, 1 + 625 * 101],
      [0, 10_000, 101 + 625 * 101],
      [0, 10_000_000, 2 ** 21 - 1],
    ];
    for (const [priority, backlog, expected] of table)
      assert.equal(
        hintPriority(priority, backlog),
        expected,
        `priority ${priority}, backlog ${backlog}`,
      );
  });

  it("orders hints within a block, and any first hint before another's 17th", () => {
    for (let priority = 0; priority < 100; priority++)
      assert.ok(hintPriority(priority + 1, 5) < hintPriority(priority, 5));
    assert.ok(hintPriority(0, 0) < hintPriority(100, 16));
  });

  it("is always valid for BullMQ: a whole number from 1 to 2,097,151", () => {
    for (const priority of [0, 33, 100]) {
      for (const backlog of [0, 7, 1e3, 1e6, 1e9]) {
        const value = hintPriority(priority, backlog);
        assert.ok(Number.isInteger(value) && value >= 1 && value <= 2_097_151, String(value));
      }
    }
  });
});
