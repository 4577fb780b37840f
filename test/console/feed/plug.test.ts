import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createPlug } from "../../../src/console/feed/plug.js";

describe("the next attempt to connect", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
  afterEach(() => mock.timers.reset());

  /** True if the attempt is due after that time, and not a millisecond earlier. */
  async function isDueAfter(due: Promise<void>, ms: number): Promise<boolean> {
    let isDue = false;
    void due.then(() => (isDue = true));
    mock.timers.tick(ms - 1);
    await nextTurn();
    const early = isDue;
    mock.timers.tick(1);
    await nextTurn();
    return isDue && !early;
  }

  for (const [retries, ms] of [
    [0, 250],
    [1, 500],
    [3, 2000],
    [5, 5000],
    [50, 5000],
  ] as const) {
    it(`is due ${ms} ms after a lost connection and ${retries} failed attempts`, async () => {
      assert.equal(await isDueAfter(createPlug().nextTry(retries), ms), true);
    });
  }

  it("is due when the plug is in again, and backs off as before afterwards", async () => {
    const plug = createPlug();
    plug.pull(10_000);
    assert.equal(await isDueAfter(plug.nextTry(0), 10_000), true);
    assert.equal(await isDueAfter(plug.nextTry(0), 250), true);
  });

  it("is due at once when the plug is pushed in by hand", async () => {
    const plug = createPlug();
    plug.pull(10_000);
    const due = plug.nextTry(0);
    plug.push();
    await due;
    plug.push();
    assert.equal(await isDueAfter(plug.nextTry(1), 500), true);
  });
});
