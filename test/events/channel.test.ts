import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Channel } from "../../src/events/channel.js";
import type { LogPage } from "../../src/events/event-log.js";
import type { QueuedJobEvent } from "../../src/domain/queued-job.js";
import { bareEvent } from "../support/asserts/bare-event.js";
import { eventually } from "../support/runner/eventually.js";

/** Creates a channel on a log that answers on demand. */
function createScene() {
  const queries: {
    seq: number;
    queuedJobId: string | null;
    answer(page: Partial<LogPage>): void;
    fail(error: Error): void;
  }[] = [];
  const channel = new Channel(
    ({ seq, queuedJobId }) =>
      new Promise<LogPage>((resolve, reject) => {
        queries.push({
          seq,
          queuedJobId,
          answer: (page) => resolve({ events: [], whole: true, last: 0, floor: 0, ...page }),
          fail: reject,
        });
      }),
  );
  return { queries, channel };
}

function receive(channel: Channel, ...events: QueuedJobEvent[]): void {
  const head = events.findLast(({ type }) => type !== "PROGRESS")?.seq ?? null;
  channel.receive({ head, events });
}

const events = (...numbers: number[]) => numbers.map((seq) => bareEvent(seq));

describe("the head of a channel", () => {
  it("never decreases by a notification", () => {
    const { channel } = createScene();
    channel.receive({ head: 9, events: [] });
    channel.receive({ head: 4, events: [] });
    receive(channel, bareEvent(2, { type: "PROGRESS" }));
    assert.deepEqual([channel.head, channel.notifications], [9, 3]);
  });

  it("is corrected by the log if no notification came during the query", () => {
    const { channel } = createScene();
    receive(channel, bareEvent(1_000_000));
    channel.confirmHead(7, channel.notifications);
    assert.deepEqual([channel.head, channel.mustRead(7)], [7, false]);
  });

  it("drops the event of a wrong notification", () => {
    const { channel } = createScene();
    receive(channel, ...events(9));
    channel.confirmHead(7, channel.notifications);
    receive(channel, ...events(8));
    assert.deepEqual([channel.after(7)?.seq, channel.after(8)], [8, undefined]);
  });

  it("is the higher of both if a notification came during the query", () => {
    const { channel } = createScene();
    const before = channel.notifications;
    receive(channel, bareEvent(8));
    channel.confirmHead(7, before);
    assert.deepEqual([channel.head, channel.after(7)?.seq], [8, 8]);
    channel.confirmHead(9, before);
    assert.equal(channel.head, 9);
  });

  it("wakes the listeners when a query finds that notifications were lost", async () => {
    const { queries, channel } = createScene();
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
    queries[0]?.answer({ last: 6 });
    await page;
    await turn();
    assert.deepEqual([woken, channel.head], [2, 6]);
  });
});

describe("a channel", () => {
  it("reads missing events from the log after a brief wait", async () => {
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
    await eventually("its timeout has passed", () => channel.mustRead(3));
    await eventually("its listeners are woken", () => woken === 2);
  });

  it("does not wait when a notification carried numbers only", () => {
    const { channel } = createScene();
    channel.confirmHead(1, channel.notifications);
    channel.receive({ head: 2, events: [] });
    assert.equal(channel.mustRead(1), true);
    channel.receive({ head: 2, events: [] });
    receive(channel, ...events(4));
    channel.receive({ head: 5, events: [] });
    assert.equal(channel.mustRead(1), true);
  });

  it("reads a page once for concurrent calls, and keeps its events for later ones", async () => {
    const { queries, channel } = createScene();
    const [one, two, other] = [channel.page(3, null), channel.page(3, null), channel.page(3, "a")];
    assert.deepEqual(
      queries.map(({ seq, queuedJobId }) => [seq, queuedJobId]),
      [
        [3, null],
        [3, "a"],
      ],
    );
    queries[0]?.answer({ events: events(4, 6), last: 7 });
    queries[1]?.answer({ events: events(6), last: 7 });
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
    assert.equal(queries.length, 3);
  });

  it("ends an incomplete page at its last event, and keeps the position of the log", async () => {
    const { queries, channel } = createScene();
    const page = channel.page(0, null);
    queries[0]?.answer({
      events: Array.from({ length: 100 }, (_, i) => bareEvent(i + 1)),
      whole: false,
      last: 500,
    });
    assert.equal((await page).to, 100);
    assert.deepEqual(
      [channel.covers(0), channel.covers(500)],
      [false, true],
      "only the current position is covered",
    );
  });

  it("keeps nothing of a page after which events were purged", async () => {
    const { queries, channel } = createScene();
    const page = channel.page(1, null);
    queries[0]?.answer({ events: events(5), last: 5, floor: 4 });
    await page;
    assert.deepEqual([channel.covers(1), channel.covers(5)], [false, true]);
  });

  it("reads a page again after a failed read", async () => {
    const { queries, channel } = createScene();
    const page = channel.page(1, null);
    queries[0]?.fail(new Error("away"));
    await assert.rejects(page, { message: "away" });
    void channel.page(1, null);
    assert.equal(queries.length, 2);
  });

  it("treats a PROGRESS as stale after an event in a notification or in a page", async () => {
    const { queries, channel } = createScene();
    const jobs = ["a", "b", "c"];
    const of = (id: string) => (event: QueuedJobEvent) => event.queuedJob.id === id;
    receive(channel, ...jobs.map((id) => bareEvent(1, { id, type: "STARTED" })));
    receive(channel, ...jobs.map((id) => bareEvent(1, { id, type: "PROGRESS" })));
    receive(channel, bareEvent(2, { id: "a", type: "SUCCEEDED" }));
    const page = channel.page(2, "b");
    queries[0]?.answer({ events: [bareEvent(3, { id: "b", type: "CANCELLED" })], last: 3 });
    await page;
    assert.deepEqual(
      jobs.map((id) => channel.progress.after(0, 9, of(id))?.event.queuedJob.id),
      [undefined, undefined, "c"],
    );
  });

  it("looks once in the log whether an attempt from before its first event still runs", async () => {
    const { queries, channel } = createScene();
    channel.confirmHead(9, channel.notifications);
    let woken = 0;
    channel.join(() => woken++);
    for (const value of [0.1, 0.2])
      receive(channel, bareEvent(4, { id: "a", type: "PROGRESS", progress: value }));
    assert.deepEqual(
      queries.map(({ seq, queuedJobId }) => [seq, queuedJobId]),
      [[4, "a"]],
    );
    await eventually("the notifications woke it", () => woken > 0);
    await turn();
    assert.equal(
      channel.progress.after(0, 9, () => true),
      undefined,
    );
    woken = 0;
    queries[0]?.answer({ last: 9 });
    await eventually("it is woken", () => woken > 0);
    assert.equal(channel.progress.after(0, 9, () => true)?.event.queuedJob.progress, 0.2);
    receive(channel, bareEvent(4, { id: "a", type: "PROGRESS", progress: 0.3 }));
    assert.equal(queries.length, 1);
  });

  it("drops a PROGRESS whose later events cannot be read", async () => {
    const { queries, channel } = createScene();
    channel.confirmHead(9, channel.notifications);
    receive(channel, bareEvent(4, { id: "a", type: "PROGRESS" }));
    queries[0]?.fail(new Error("away"));
    await turn();
    assert.equal(channel.progress.serial, 0);
    receive(channel, bareEvent(4, { id: "a", type: "PROGRESS" }));
    assert.equal(queries.length, 2, "it looks again for the next one");
  });

  it("does not accept a PROGRESS by a look for events after an earlier attempt", async () => {
    const { queries, channel } = createScene();
    channel.confirmHead(9, channel.notifications);
    receive(channel, bareEvent(4, { id: "a", type: "PROGRESS" }));
    receive(channel, bareEvent(6, { id: "a", type: "PROGRESS" }));
    queries[0]?.answer({ last: 9 });
    await turn();
    assert.equal(channel.progress.serial, 0);
  });
});

describe("the listeners of a channel", () => {
  it("are called once for all changes in a turn, until they leave", async () => {
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

  it("are called in batches, and all again for later changes", async () => {
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
