// The share of a large backlog that one pass checks. Each page takes 40 ms.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { HintSweep } from "../../src/worker/hint-sweep.js";

const PAGE_MS = 40;
const BACKLOG_PAGES = 100;

describe("a sweep for lost hints in a large backlog", () => {
  let now = 0;
  let missing = 0;
  let fault: Error | null = null;
  let pages = { all: 0, recent: 0 };
  const since: number[] = [];
  let sweep: HintSweep;
  beforeEach(() => {
    mock.method(performance, "now", () => now);
    since.length = 0;
    let passed = 0;
    sweep = new HintSweep(async (part) => {
      now += PAGE_MS;
      if (part.sinceMs === null) {
        pages.all++;
        part.pass([], ++passed % BACKLOG_PAGES === 0 ? 1 : 0);
        return missing;
      }
      pages.recent++;
      since.push(part.sinceMs);
      if (fault) throw fault;
      part.pass([], 1);
      return 0;
    });
  });
  afterEach(() => {
    fault = null;
    missing = 0;
    mock.restoreAll();
  });
  /** Makes a pass; returns the pages that it read. */
  async function pass(): Promise<typeof pages> {
    pages = { all: 0, recent: 0 };
    await sweep.run();
    await sweep.runRecent().catch(() => {});
    return pages;
  }
  async function sweepAll(): Promise<void> {
    do await pass();
    while (sweep.underWay);
  }

  it("checks it in passes of two seconds at first, then a small part of it in each pass", async () => {
    assert.deepEqual(await pass(), { all: 50, recent: 1 });
    assert.deepEqual(await pass(), { all: 50, recent: 1 });
    assert.deepEqual(await pass(), { all: 3, recent: 1 });
    assert.deepEqual(await pass(), { all: 3, recent: 1 });
  });

  it("continues with passes of two seconds when a hint is missing", async () => {
    await sweepAll();
    missing = 1;
    await pass();
    missing = 0;
    assert.equal((await pass()).all, 50);
  });

  it("checks in each pass what became due since the last one, or the last success", async () => {
    await sweepAll();
    for (const isAway of [false, true, true, false, false]) {
      fault = isAway ? new Error("Redis is away") : null;
      now += 5000;
      await pass();
    }
    const steps = since.slice(-4).map((ms) => Math.round((ms - 20_000) / 5000));
    assert.deepEqual(steps, [1, 2, 3, 1]);
  });

  it("checks nothing twice while one pass is enough for all rows", async () => {
    const small = new HintSweep(async (part) => {
      assert.equal(part.sinceMs, null);
      part.pass([], 1);
      return 0;
    });
    await small.run();
    assert.equal(await small.runRecent(), 0);
  });
});
