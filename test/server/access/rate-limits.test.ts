import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { QuotaExceededError } from "../../../src/domain/errors.js";
import { createRateLimits, type RateLimits } from "../../../src/server/access/rate-limits.js";
import { eventually } from "../../support/runner/eventually.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTcpProxy } from "../../support/stores/tcp-proxy.js";
import { testRedis } from "../../support/stores/test-redis.js";

/** The twentieth second of a minute. */
const AT = Date.parse("2026-01-01T00:00:20.000Z");

describe("the rate limits", () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const closable of open.splice(0)) await closable.close();
  });
  let nowMs = AT;

  function limits(requestsPerMinute: number, { url, prefix } = testRedis()): RateLimits {
    const rateLimits = createRateLimits({
      redisUrl: url,
      prefix,
      requestsPerMinute,
      log: silentLog,
      now: () => nowMs,
      timeoutMs: 5000,
    });
    open.push(rateLimits);
    return rateLimits;
  }

  /** Counts the successful tries. */
  async function allowed(take: () => Promise<void>, tries: number): Promise<number> {
    let count = 0;
    for (let i = 0; i < tries; i++)
      await take().then(
        () => count++,
        () => {},
      );
    return count;
  }

  it("allow the configured requests per minute, and report when to retry", async () => {
    nowMs = AT;
    const { takeOfUser } = limits(5);
    assert.equal(await allowed(() => takeOfUser("a"), 5), 5);
    await assert.rejects(
      takeOfUser("a"),
      (error) =>
        error instanceof QuotaExceededError &&
        error.retryAfterMs === 40_000 &&
        error.message ===
          "Rate limit exceeded: at most 5 requests per minute; retry in the next minute.",
    );
    await takeOfUser("b");
    nowMs += 40_000;
    await takeOfUser("a");
  });

  it("admit the first of concurrent requests, although only it waits for Redis", async () => {
    nowMs = AT;
    const { takeOfUser } = limits(20);
    const answers = await Promise.allSettled(Array.from({ length: 25 }, () => takeOfUser("a")));
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array.from({ length: 25 }, (_, i) => (i < 20 ? "fulfilled" : "rejected")),
    );
  });

  it("count users, addresses and rejected tokens separately, with a tenth for tokens", async () => {
    nowMs = AT;
    const { takeOfUser, takeOfAddress, takeFailure } = limits(20);
    assert.equal(await allowed(() => takeFailure("1.2.3.4"), 20), 2);
    assert.equal(await allowed(() => takeOfAddress("1.2.3.4"), 25), 20);
    assert.equal(await allowed(() => takeOfUser("1.2.3.4"), 25), 20);
    await assert.rejects(takeFailure("1.2.3.4"), {
      message:
        "Rate limit exceeded: at most 2 invalid tokens from your address per minute; retry in " +
        "the next minute.",
    });
    await assert.rejects(takeOfAddress("1.2.3.4"), {
      message:
        "Rate limit exceeded: at most 20 requests without a token from your address per minute; " +
        "retry in the next minute.",
    });
  });

  it("verify after too many failures only 20 tokens per second and known subjects", async () => {
    nowMs = AT;
    const { takeFailure, checkVerification } = limits(20);
    const isRefused = (address: string, isKnown = false) => {
      try {
        checkVerification(address, () => isKnown);
        return false;
      } catch (error) {
        assert.ok(error instanceof QuotaExceededError && error.retryAfterMs <= 60_000);
        assert.equal(
          error.message,
          "Rate limit exceeded: at most 2 invalid tokens from your address per minute; retry " +
            "in the next minute.",
        );
        return true;
      }
    };
    const refusals = (address: string, tries: number) =>
      Array.from({ length: tries }, () => isRefused(address)).filter(Boolean).length;
    await takeFailure("1.2.3.4");
    assert.equal(refusals("1.2.3.4", 100), 0);
    await takeFailure("1.2.3.4");
    assert.equal(refusals("1.2.3.4", 100), 80);
    assert.equal(isRefused("1.2.3.4", true), false, "a verified subject");
    assert.equal(refusals("1.2.3.5", 100), 0, "another address");
    nowMs += 1000;
    assert.equal(refusals("1.2.3.4", 100), 80, "the next second");
    nowMs += 60_000;
    assert.equal(refusals("1.2.3.4", 100), 0, "the next minute");
  });

  it("count an IPv6 network as one address, and all spellings of an IPv4 address", async () => {
    nowMs = AT;
    const { takeOfAddress } = limits(2);
    let i = 0;
    assert.equal(await allowed(() => takeOfAddress(`2001:db8:1:2:${++i}::1`), 10), 2);
    await takeOfAddress("2001:db8:1:3::1");
    await takeOfAddress("1.2.3.4");
    await takeOfAddress("::ffff:1.2.3.4");
    await assert.rejects(takeOfAddress("1.2.3.4"));
  });

  it("are disabled by 0", async () => {
    const { takeOfUser, takeFailure } = limits(0);
    assert.equal(await allowed(() => takeOfUser("a"), 1000), 1000);
    assert.equal(await allowed(() => takeFailure("a"), 1000), 1000);
  });

  it("add up the requests of all processes, and survive a restart", async () => {
    nowMs = AT;
    const redis = testRedis();
    const [first, second] = [limits(100, redis), limits(100, redis)];
    assert.equal(await allowed(() => first.takeOfUser("a"), 60), 60);
    assert.equal(await allowed(() => second.takeOfUser("a"), 1), 1);
    // After a report, within half a second, each process counts the requests of both.
    const used = await eventually(
      "the second process counts the requests of the first",
      async () => {
        const more = await allowed(() => second.takeOfUser("a"), 1);
        return more === 0;
      },
      20_000,
    ).then(() => true);
    assert.ok(used);
    // Both report their remaining counts.
    await Promise.all([first.close(), second.close()]);
    const restarted = limits(100, redis);
    await assert.rejects(
      restarted.takeOfUser("a"),
      QuotaExceededError,
      "the first request after a restart is refused",
    );
  });

  it("report every request to Redis once", async () => {
    nowMs = AT;
    const redis = testRedis();
    const [first, reader] = [limits(10_000, redis), limits(1000, redis)];
    for (let i = 0; i < 990; i++) void first.takeOfUser("a");
    await first.close();
    assert.equal(await allowed(() => reader.takeOfUser("a"), 20), 10);
  });

  it("report every request once also when Redis answers slowly", async () => {
    nowMs = AT;
    const { url, prefix } = testRedis();
    const proxy = await createTcpProxy(url);
    const [slow, reader] = [
      limits(10_000, { url: proxy.url, prefix }),
      limits(100, { url, prefix }),
    ];
    await slow.takeOfUser("a");
    proxy.freeze();
    // Requests during more than one report, which Redis does not answer. Then no request during
    // another report.
    for (let i = 0; i < 29; i++) {
      await slow.takeOfUser("a");
      await pause(25);
    }
    await pause(500);
    proxy.heal();
    await slow.close();
    await proxy.close();
    assert.equal(await allowed(() => reader.takeOfUser("a"), 100), 70);
  });

  it("limit each process by itself while Redis is unavailable", async () => {
    nowMs = AT;
    const { url, prefix } = testRedis();
    const proxy = await createTcpProxy(url);
    open.push(proxy);
    proxy.down();
    const cutOff = limits(5, { url: proxy.url, prefix });
    assert.equal(await allowed(() => cutOff.takeOfUser("a"), 10), 5);
    proxy.up();
    const other = limits(5, { url, prefix });
    await eventually(
      "the counts are reported",
      async () => (await allowed(() => other.takeOfUser("a"), 1)) === 0,
    );
  });
});
