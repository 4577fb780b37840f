import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { QuotaExceededError } from "../../../src/domain/errors.js";
import { createRateLimits, type RateLimits } from "../../../src/server/access/rate-limits.js";
import { eventually } from "../../support/runner/eventually.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTcpProxy } from "../../support/stores/tcp-proxy.js";
import { testRedis } from "../../support/stores/test-redis.js";

/** A minute's twentieth second. */
const AT = Date.parse("2026-01-01T00:00:20.000Z");

describe("the rate limits", () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });
  let nowMs = AT;

  function limits(requestsPerMinute: number, { url, prefix } = testRedis()): RateLimits {
    const made = createRateLimits({
      redisUrl: url,
      prefix,
      requestsPerMinute,
      log: silentLog,
      now: () => nowMs,
      timeoutMs: 5000,
    });
    open.push(made);
    return made;
  }

  /** How often it may be done, of so many. */
  async function allowed(take: () => Promise<void>, tries: number): Promise<number> {
    let count = 0;
    for (let i = 0; i < tries; i++)
      await take().then(
        () => count++,
        () => {},
      );
    return count;
  }

  it("let one ask so often in a minute, and then say when the next one begins", async () => {
    nowMs = AT;
    const { takeOfUser } = limits(5);
    assert.equal(await allowed(() => takeOfUser("a"), 5), 5);
    await assert.rejects(
      takeOfUser("a"),
      (error) =>
        error instanceof QuotaExceededError &&
        error.retryAfterMs === 40_000 &&
        error.message === "Too many requests of yours; 5 a minute are the most.",
    );
    await takeOfUser("b");
    nowMs += 40_000;
    await takeOfUser("a");
  });

  it("let in the first of those who come in one moment, although only that one waits for Redis", async () => {
    nowMs = AT;
    const { takeOfUser } = limits(20);
    const answers = await Promise.allSettled(Array.from({ length: 25 }, () => takeOfUser("a")));
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array.from({ length: 25 }, (_, i) => (i < 20 ? "fulfilled" : "rejected")),
    );
  });

  it(
    "count users, addresses and tokens that do not hold each for themselves, of the last a " +
      "tenth",
    async () => {
      nowMs = AT;
      const { takeOfUser, takeOfAddress, takeFailure } = limits(20);
      assert.equal(await allowed(() => takeFailure("1.2.3.4"), 20), 2);
      assert.equal(await allowed(() => takeOfAddress("1.2.3.4"), 25), 20);
      assert.equal(await allowed(() => takeOfUser("1.2.3.4"), 25), 20);
      await assert.rejects(takeFailure("1.2.3.4"), {
        message: "Too many tokens that do not hold from your address; 2 a minute are the most.",
      });
      await assert.rejects(takeOfAddress("1.2.3.4"), {
        message: "Too many requests without a token from your address; 20 a minute are the most.",
      });
    },
  );

  it(
    "let twenty tokens of a network be verified each second once too many did not hold, " +
      "and those of subjects that were",
    async () => {
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
            "Too many tokens that do not hold from your address; 2 a minute are the most.",
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
      assert.equal(isRefused("1.2.3.4", true), false, "its subject was verified");
      assert.equal(refusals("1.2.3.5", 100), 0, "another address");
      nowMs += 1000;
      assert.equal(refusals("1.2.3.4", 100), 80, "the next second");
      nowMs += 60_000;
      assert.equal(refusals("1.2.3.4", 100), 0, "the next minute");
    },
  );

  it(
    "take a network of IPv6 for one address, and an IPv4 address for itself however it is " +
      "written",
    async () => {
      nowMs = AT;
      const { takeOfAddress } = limits(2);
      let i = 0;
      assert.equal(await allowed(() => takeOfAddress(`2001:db8:1:2:${++i}::1`), 10), 2);
      await takeOfAddress("2001:db8:1:3::1");
      await takeOfAddress("1.2.3.4");
      await takeOfAddress("::ffff:1.2.3.4");
      await assert.rejects(takeOfAddress("1.2.3.4"));
    },
  );

  it("are off at 0", async () => {
    const { takeOfUser, takeFailure } = limits(0);
    assert.equal(await allowed(() => takeOfUser("a"), 1000), 1000);
    assert.equal(await allowed(() => takeFailure("a"), 1000), 1000);
  });

  it("are those of all processes together, and survive a restart", async () => {
    nowMs = AT;
    const redis = testRedis();
    const [first, second] = [limits(100, redis), limits(100, redis)];
    assert.equal(await allowed(() => first.takeOfUser("a"), 60), 60);
    assert.equal(await allowed(() => second.takeOfUser("a"), 1), 1);
    // Told within half a second: then either knows of both.
    const used = await eventually(
      "the second has heard of the first",
      async () => {
        const more = await allowed(() => second.takeOfUser("a"), 1);
        return more === 0;
      },
      20_000,
    ).then(() => true);
    assert.ok(used);
    // Both tell what they have not told.
    await Promise.all([first.close(), second.close()]);
    const restarted = limits(100, redis);
    await assert.rejects(
      restarted.takeOfUser("a"),
      QuotaExceededError,
      "the first request after a restart is refused",
    );
  });

  it("tell Redis every request once", async () => {
    nowMs = AT;
    const redis = testRedis();
    const [first, reader] = [limits(10_000, redis), limits(1000, redis)];
    for (let i = 0; i < 990; i++) void first.takeOfUser("a");
    await first.close();
    assert.equal(await allowed(() => reader.takeOfUser("a"), 20), 10);
  });

  it("tell it once, too, when it is slower to answer than they are to ask again", async () => {
    nowMs = AT;
    const { url, prefix } = testRedis();
    const proxy = await createTcpProxy(url);
    const [slow, reader] = [
      limits(10_000, { url: proxy.url, prefix }),
      limits(100, { url, prefix }),
    ];
    await slow.takeOfUser("a");
    proxy.freeze();
    // For more than one turn of telling, which is not answered; then for a second turn nobody asks.
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

  it("go on for each process while Redis is away, and when it is frozen nobody waits long", async () => {
    nowMs = AT;
    const { url, prefix } = testRedis();
    const proxy = await createTcpProxy(url);
    open.push(proxy);
    proxy.down();
    const away = limits(5, { url: proxy.url, prefix });
    assert.equal(await allowed(() => away.takeOfUser("a"), 10), 5);
    proxy.up();
    const other = limits(5, { url, prefix });
    await eventually(
      "what was counted meanwhile is told",
      async () => (await allowed(() => other.takeOfUser("a"), 1)) === 0,
    );
  });
});
