import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Channel } from "../../src/events/channel.js";
import type { LogPage } from "../../src/events/event-log.js";
import type { QueuedJobEvent } from "../../src/domain/queued-job.js";
import { bareEvent } from "../support/asserts/bare-event.js";
import { eventually } from "../support/runner/eventually.js";

/** A channel on a log that answers when it is told to. */
function createScene() {
  const asked: {
    seq: number;
    queuedJobId: string | null;
    answer(page: Partial<LogPage>): void;
    fail(error: Error): void;
  }[] = [];
  const channel = new Channel(
    ({ seq, queuedJobId }) =>
      new Promise((resolve, reject) => {
        asked.push({
          seq,
          queuedJobId,
          answer: (page) => resolve({ events: [], whole: true, last: 0, floor: 0, ...page }),
          fail: reject,
        });
      }),
  );
  return { asked, channel };
}

function receive(channel: Channel, ...events: QueuedJobEvent[]): void {
  const head = events.findLast(({ type }) => type !== "PROGRESS")?.seq ?? null;
  channel.receive({ head, events });
}

const events = (...numbers: number[]) => numbers.map((seq) => bareEvent(seq));

describe("the head of a channel", () => {
  it("never falls by a notification", () => {
    const { channel } = createScene();
    channel.receive({ head: 9, events: [] });
    channel.receive({ head: 4, events: [] });
    receive(channel, bareEvent(2, { type: "PROGRESS" }));
    assert.deepEqual([channel.head, channel.notifications], [9, 3]);
  });

  it("is what the log says when no notification rang since it was asked: a notification that lied is forgotten", () => {
    const { channel } = createScene();
    receive(channel, bareEvent(1_000_000));
    channel.confirmHead(7, channel.notifications);
    assert.deepEqual([channel.head, channel.mustRead(7)], [7, false]);
  });

  it(
    "leaves nothing behind of a notification that lied: what the log has under that number is " +
      "another event",
    () => {
      const { channel } = createScene();
      receive(channel, ...events(9));
      channel.confirmHead(7, channel.notifications);
      receive(channel, ...events(8));
      assert.deepEqual([channel.after(7)?.seq, channel.after(8)], [8, undefined]);
    },
  );

  it("is the higher of both when a notification rang while the log was asked", () => {
    const { channel } = createScene();
    const before = channel.notifications;
    receive(channel, bareEvent(8));
    channel.confirmHead(7, before);
    assert.deepEqual([channel.head, channel.after(7)?.seq], [8, 8]);
    channel.confirmHead(9, before);
    assert.equal(channel.head, 9);
  });

  it(
    "is told to who listens when a query finds it grown: the notifications were lost, and whoever " +
      "asked is not alone",
    async () => {
      const { asked, channel } = createScene();
      channel.confirmHead(3, channel.notifications);
      let woken = 0;
      channel.join(() => woken++);
      channel.confirmHead(3, channel.notifications);
      await turn();
      assert.equal(woken, 0, "nothing is new");
      channel.confirmHead(4, channel.notifications);
      await turn();
      assert.deepEqual([woken, channel.mustRead(3)], [1, true]);
      const page = channel.page(1, "a");
      asked[0]?.answer({ last: 6 });
      await page;
      await turn();
      assert.deepEqual([woken, channel.head], [2, 6]);
    },
  );
});

describe("a channel", () => {
  it(
    "has the log read for what it has not, and waits a moment for what was overtaken on " +
      "its way",
    async () => {
      const { channel } = createScene();
      channel.confirmHead(1, channel.notifications);
      assert.equal(channel.mustRead(1), false);
      receive(channel, ...events(3));
      assert.deepEqual([channel.mustRead(1), channel.mustRead(0)], [false, true]);
      receive(channel, ...events(2));
      assert.deepEqual(
        [channel.after(1)?.seq, channel.after(2)?.seq, channel.mustRead(3)],
        [2, 3, false],
      );
      let woken = 0;
      channel.join(() => woken++);
      receive(channel, ...events(5));
      await eventually("its patience ends", () => channel.mustRead(3));
      await eventually("that is told", () => woken === 2);
    },
  );

  it("waits for nothing when a notification carried numbers only", () => {
    const { channel } = createScene();
    channel.confirmHead(1, channel.notifications);
    channel.receive({ head: 2, events: [] });
    assert.equal(channel.mustRead(1), true);
    channel.receive({ head: 2, events: [] });
    receive(channel, ...events(4));
    channel.receive({ head: 5, events: [] });
    assert.equal(channel.mustRead(1), true);
  });

  it(
    "has a page read once for all who want the same, and what it says at hand for those " +
      "who come later",
    async () => {
      const { asked, channel } = createScene();
      const [one, two, other] = [
        channel.page(3, null),
        channel.page(3, null),
        channel.page(3, "a"),
      ];
      assert.deepEqual(
        asked.map(({ seq, queuedJobId }) => [seq, queuedJobId]),
        [
          [3, null],
          [3, "a"],
        ],
      );
      asked[0]?.answer({ events: events(4, 6), last: 7 });
      asked[1]?.answer({ events: events(6), last: 7 });
      assert.equal(await one, await two);
      assert.deepEqual([(await one).to, (await other).events.length], [7, 1]);
      assert.deepEqual(
        [
          channel.head,
          channel.covers(3),
          channel.after(3)?.seq,
          channel.after(4)?.seq,
          channel.after(6),
        ],
        [7, true, 4, 6, undefined],
      );
      void channel.page(3, null);
      assert.equal(asked.length, 3);
    },
  );

  it(
    "leads by a page behind which there is more to its last event, and by another to where " +
      "the log stands",
    async () => {
      const { asked, channel } = createScene();
      const page = channel.page(0, null);
      asked[0]?.answer({
        events: Array.from({ length: 100 }, (_, i) => bareEvent(i + 1)),
        whole: false,
        last: 500,
      });
      assert.equal((await page).to, 100);
      assert.deepEqual(
        [channel.covers(0), channel.covers(500)],
        [false, true],
        "it lives in the present",
      );
    },
  );

  it("learns nothing from a page behind which something was purged", async () => {
    const { asked, channel } = createScene();
    const page = channel.page(1, null);
    asked[0]?.answer({ events: events(5), last: 5, floor: 4 });
    await page;
    assert.deepEqual([channel.covers(1), channel.covers(5)], [false, true]);
  });

  it("asks again after a page that could not be read", async () => {
    const { asked, channel } = createScene();
    const page = channel.page(1, null);
    asked[0]?.fail(new Error("away"));
    await assert.rejects(page, { message: "away" });
    void channel.page(1, null);
    assert.equal(asked.length, 2);
  });

  it("takes a PROGRESS for stale behind what a notification told or a page says", async () => {
    const { asked, channel } = createScene();
    receive(
      channel,
      bareEvent(1, { id: "a", type: "PROGRESS" }),
      bareEvent(1, { id: "b", type: "PROGRESS" }),
      bareEvent(1, { id: "c", type: "PROGRESS" }),
    );
    receive(channel, bareEvent(2, { id: "a", type: "SUCCEEDED" }));
    const page = channel.page(2, "b");
    asked[0]?.answer({ events: [bareEvent(3, { id: "b", type: "CANCELLED" })], last: 3 });
    await page;
    assert.deepEqual(
      ["a", "b", "c"].map((id) => channel.progress.after(0, 9, id)?.event.queuedJob.id),
      [undefined, undefined, "c"],
    );
  });
});

describe("the listeners of a channel", () => {
  it("are called once for all news of a turn, until they leave", async () => {
    const { channel } = createScene();
    const calls = [0, 0];
    const leave = calls.map((_, i) => channel.join(() => calls[i]!++));
    receive(channel, ...events(1));
    receive(channel, ...events(2));
    assert.deepEqual(calls, [0, 0]);
    await turn();
    assert.deepEqual(calls, [1, 1]);
    leave[0]?.();
    receive(channel, ...events(3));
    await turn();
    assert.deepEqual(calls, [1, 2]);
  });

  it("are called a part at a time, and all of them again for what came meanwhile", async () => {
    const { channel } = createScene();
    const calls = Array.from({ length: 1200 }, () => 0);
    for (const i of calls.keys()) channel.join(() => calls[i]!++);
    receive(channel, ...events(1));
    await turn();
    assert.equal(calls.filter((count) => count === 1).length, 500);
    receive(channel, ...events(2));
    await eventually("all were called twice", () => calls.every((count) => count === 2));
  });
});
