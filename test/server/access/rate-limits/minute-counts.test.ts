import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { collectGarbage } from "../../../../src/app/prepare-process.js";
import { MinuteCounts } from "../../../../src/server/access/rate-limits.js";
import { eventually } from "../../../support/runner/eventually.js";
import { silentLog } from "../../../support/runner/silent-log.js";
import { testRedis } from "../../../support/stores/test-redis.js";

/** Different callers per minute. */
const EACH_MINUTE = 2500;

describe("the counts of a minute", () => {
  /**
   * Bytes of the heap, after collections have freed nothing for longer than counts wait for Redis.
   */
  async function settledHeap(): Promise<number> {
    let minimum = { bytes: Number.POSITIVE_INFINITY, at: 0 };
    return eventually("the heap has settled", async () => {
      await collectGarbage();
      const { heapUsed } = process.memoryUsage();
      if (minimum.bytes - heapUsed > 20_000) minimum = { bytes: heapUsed, at: Date.now() };
      return Date.now() - minimum.at > 800 && heapUsed;
    });
  }

  /** Bytes that are still in use after the minutes of all callers have ended. */
  async function bytesKept(callers: number): Promise<number> {
    const { url, prefix } = testRedis();
    let nowMs = Date.parse("2026-01-01T00:00:20.000Z");
    const counts = new MinuteCounts({
      redisUrl: url,
      prefix,
      log: silentLog,
      now: () => nowMs,
      timeoutMs: 5000,
    });
    async function takeAll(minutes: number): Promise<void> {
      for (let minute = 0; minute < minutes; minute++) {
        nowMs += 60_000;
        const names = Array.from({ length: EACH_MINUTE }, (_, i) => `${nowMs}-${i}`);
        await Promise.all(names.map((name) => counts.add(name)));
      }
    }
    // Warm up: code that the first callers load and compile stays in memory.
    await takeAll(2);
    nowMs += 60_000;
    const before = await settledHeap();
    await takeAll(callers / EACH_MINUTE);
    nowMs += 60_000;
    const kept = (await settledHeap()) - before;
    await counts.close();
    return kept;
  }

  it("are freed after the minute", async () => {
    const kept = await bytesKept(10_000);
    assert.ok(kept < 350_000, `10,000 callers have left ${kept} bytes`);
  });
});
