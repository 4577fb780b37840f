// An unavailable store delays a stream, but ends none.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { EventLog } from "../../../src/events/event-log.js";
import { eventually } from "../../support/runner/eventually.js";
import { createTestCore, type TestCore } from "../../support/service/test-core.js";
import { createTestReader, type TestReader } from "../../support/clients/test-reader.js";
import { received } from "../../support/asserts/received.js";

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe("a stream", () => {
  let core: TestCore;
  const opened: TestReader[] = [];
  async function open(options?: Parameters<typeof createTestReader>[1]): Promise<TestReader> {
    const reader = await createTestReader(core, options);
    opened.push(reader);
    return reader;
  }
  before(async () => {
    core = await createTestCore();
    await eventually("notifications can be published", () => core.bus.awayReason() === null);
  });
  afterEach(async () => {
    for (const reader of opened.splice(0)) await reader.close();
  });
  after(() => core.close());

  it("continues without Redis with the watchdog, and other streams can be opened", async () => {
    const reader = await open({ watchdogMs: 30 });
    const user = await core.newUser();
    const early = received(await reader.open(user.id));
    reader.redis.down();
    await core.submit(user);
    await early.count(1);
    const late = received(await reader.open(user.id));
    await core.submit(user);
    await Promise.all([early.count(2), late.count(1)]);
    assert.deepEqual([early.story, late.story], [["QUEUED 1", "QUEUED 2"], ["QUEUED 2"]]);
  });

  it("reads at once when Redis is back, and then gets its notifications again", async () => {
    const reader = await open();
    const user = await core.newUser();
    const stream = received(await reader.open(user.id));
    reader.redis.down();
    await core.submitMany(user, 3);
    reader.redis.up();
    await stream.count(3);
    await eventually("it listens again", () => reader.bus.awayReason() === null);
    await core.submit(user);
    await stream.count(4);
    assert.deepEqual(
      stream.events.map(({ cursorSeq }) => cursorSeq),
      numbers(4),
    );
  });

  it("continues while Redis hangs, and others can be opened", async () => {
    const reader = await open({ watchdogMs: 30 });
    const user = await core.newUser();
    const early = received(await reader.open(user.id));
    reader.redis.freeze();
    const other = await core.newUser();
    const late = received(await reader.open(other.id));
    await core.submit(user);
    await core.submit(other);
    await Promise.all([early.count(1), late.count(1)]);
    reader.redis.heal();
  });

  it("pauses without PostgreSQL when it must read, and continues when it is back", async () => {
    let failures = 0;
    const wrap = (log: EventLog): EventLog => ({
      ...log,
      read: (query) =>
        log.read(query).catch((error: unknown) => (failures++, Promise.reject(error))),
    });
    const reader = await open({ wrap });
    const user = await core.newUser();
    const stream = received(await reader.open(user.id));
    await core.submit(user);
    await stream.count(1);
    reader.postgres.down();
    // This is too long for a notification, so the reader must read the log.
    await core.submit(user, { parameters: { message: "x".repeat(8000) } });
    await core.submitMany(user, 50);
    await eventually("it has read twice", () => failures >= 2);
    assert.deepEqual([stream.story, stream.end], [["QUEUED 1"], null]);
    reader.postgres.up();
    await core.finish(user);
    await stream.count(55);
    assert.deepEqual(
      stream.events.map(({ cursorSeq }) => cursorSeq),
      numbers(55),
    );
  });

  it("delivers events from notifications without PostgreSQL", async () => {
    const reader = await open();
    const user = await core.newUser();
    const stream = received(await reader.open(user.id));
    reader.postgres.down();
    await core.finish(user);
    await stream.count(3);
    assert.deepEqual(stream.story, ["QUEUED 1", "STARTED 2", "SUCCEEDED 3"]);
    reader.postgres.up();
  });
});
