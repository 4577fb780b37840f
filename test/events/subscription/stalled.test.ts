// Tests that no page of the log is kept for a reader that takes no event.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Channel } from "../../../src/events/channel.js";
import {
  ChannelSubscription,
  STALLED_MS,
  type Subscription,
} from "../../../src/events/subscription.js";
import type { QueuedJobEvent } from "../../../src/domain/queued-job.js";
import { bareEvent } from "../../support/asserts/bare-event.js";

/** Creates a stream on a log of ten events, which reads three at a time. */
function createScene(options: { seq?: number; first?: QueuedJobEvent[] } = {}) {
  const reads: number[] = [];
  const channel = new Channel(async ({ seq }) => {
    reads.push(seq);
    const events = Array.from({ length: 10 }, (_, i) => bareEvent(i + 1)).filter(
      (event) => event.seq > seq,
    );
    return { events: events.slice(0, 3), whole: events.length <= 3, last: 10, floor: 0 };
  });
  channel.confirmHead(10, channel.notifications);
  const { seq = 0, first = [] } = options;
  const subscription = new ChannelSubscription({
    epoch: "e",
    queuedJobId: null,
    groupId: null,
    includeProgress: false,
    seq,
    first,
    to: first.at(-1)?.seq ?? seq,
    ended: false,
    channel,
    onEnd() {},
  });
  return { reads, subscription };
}

async function next(subscription: Subscription): Promise<number> {
  return (await subscription.next()).value?.cursorSeq ?? 0;
}

describe("a reader that stalls", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
  afterEach(() => mock.timers.reset());

  it("reads its page again from its position, and misses and repeats nothing", async () => {
    const { reads, subscription } = createScene();
    assert.equal(await next(subscription), 1);
    // It has taken an event since the page arrived.
    mock.timers.tick(STALLED_MS);
    mock.timers.tick(STALLED_MS);
    const rest: number[] = [];
    for (let i = 0; i < 9; i++) rest.push(await next(subscription));
    assert.deepEqual(
      [rest, reads],
      [
        [2, 3, 4, 5, 6, 7, 8, 9, 10],
        [0, 1, 4, 7],
      ],
    );
  });

  it("keeps its page while it takes events slowly", async () => {
    const { reads, subscription } = createScene();
    for (let i = 1; i <= 3; i++) {
      assert.equal(await next(subscription), i);
      mock.timers.tick(STALLED_MS - 1);
    }
    assert.deepEqual(reads, [0]);
  });

  it("reads its first page again", async () => {
    const { reads, subscription } = createScene({ first: [bareEvent(1), bareEvent(2)] });
    mock.timers.tick(STALLED_MS);
    assert.deepEqual([await next(subscription), await next(subscription), reads], [1, 2, [0]]);
  });

  it("keeps the current state at its start, which is not in the log", async () => {
    const { reads, subscription } = createScene({ seq: 10, first: [bareEvent(10)] });
    mock.timers.tick(STALLED_MS);
    assert.deepEqual([await next(subscription), reads], [10, []]);
  });

  it("reads nothing after its return", async () => {
    const { reads, subscription } = createScene();
    assert.equal(subscription.take(), undefined);
    await subscription.return();
    await turn();
    mock.timers.tick(STALLED_MS);
    assert.deepEqual([subscription.take(), reads], [undefined, [0]]);
  });
});
