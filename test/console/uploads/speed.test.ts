import assert from "node:assert/strict";
import { it } from "node:test";
import { createSpeed } from "../../../src/console/uploads/speed.js";

it("the speed of uploads is that of the last seconds", () => {
  let now = 0;
  const speed = createSpeed(() => now);
  assert.equal(speed.now(), 0);
  for (now = 0; now < 4000; now += 100) speed.add(100_000);
  assert.ok(Math.abs(speed.now() - 1_000_000) < 50_000, String(speed.now()));
  now = 20_000;
  assert.equal(speed.now(), 0);
});
