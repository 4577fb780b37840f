import assert from "node:assert/strict";
import { it } from "node:test";
import { collectGarbage } from "../../../src/app/prepare-process.js";

it("collectGarbage returns the freed memory: the heap is as small as before", async () => {
  await collectGarbage();
  const before = process.memoryUsage().heapTotal;
  let kept: object[] = Array.from({ length: 500_000 }, (_, i) => ({ i, text: `${i}` }));
  assert.ok(kept.length && process.memoryUsage().heapTotal > before + 30e6);
  kept = [];
  await collectGarbage();
  assert.ok(
    process.memoryUsage().heapTotal < before + 10e6,
    `${process.memoryUsage().heapTotal} after ${before}`,
  );
});
