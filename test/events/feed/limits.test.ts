// Tests the limits on replays and streams of one process.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { QuotaExceededError } from "../../../src/domain/errors.js";
import { eventually } from "../../support/runner/eventually.js";
import { createTestCore, type TestCore } from "../../support/service/test-core.js";
import { createTestReader, type TestReader } from "../../support/clients/test-reader.js";
import { received } from "../../support/asserts/received.js";

describe("a feed", () => {
  let core: TestCore;
  const opened: TestReader[] = [];
  before(async () => {
    core = await createTestCore();
  });
  afterEach(async () => {
    for (const reader of opened.splice(0)) await reader.close();
  });
  after(() => core.close());
  async function open(options: Parameters<typeof createTestReader>[1]): Promise<TestReader> {
    const reader = await createTestReader(core, options);
    opened.push(reader);
    return reader;
  }

  it("reads at most eight pages of the log at a time", async () => {
    const waiting: (() => void)[] = [];
    const reader = await open({
      wrap: (log) => ({
        ...log,
        async read(query) {
          await new Promise<void>((resolve) => waiting.push(resolve));
          return log.read(query);
        },
      }),
    });
    const epoch = await core.eventLog.epoch();
    const users = await Promise.all(Array.from({ length: 20 }, () => core.newUser()));
    for (const user of users) await core.submit(user);
    const streams = users.map((user) =>
      reader.open(user.id, { after: { epoch, seq: 0 } }).then(received),
    );
    for (const left of [20, 12, 4]) {
      await eventually("some are read", () => waiting.length === Math.min(left, 8));
      // Any other read would have started by now.
      await core.eventLog.heads([]);
      assert.equal(waiting.length, Math.min(left, 8));
      for (const proceed of waiting.splice(0)) proceed();
    }
    for (const stream of await Promise.all(streams)) await stream.count(1);
  });

  it("refuses a stream over the user's maximum until another one has ended", async () => {
    const reader = await open({ subscriptionsPerUser: 3 });
    const [user, other] = [await core.newUser(), await core.newUser()];
    const [first] = await Promise.all([
      reader.open(user.id),
      reader.open(user.id),
      reader.open(user.id),
    ]);
    await assert.rejects(
      reader.open(user.id),
      (error) =>
        error instanceof QuotaExceededError &&
        error.message ===
          "A user may have at most 3 open subscriptions; retry when one of them has ended.",
    );
    await reader.open(other.id);
    await first.return();
    const again = received(await reader.open(user.id));
    await core.submit(user);
    await again.count(1);
  });
});
