import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createChannel } from "../../src/events/channel.js";
import type { Channel } from "../../src/events/channel.js";
import type { QueuedJob, QueuedJobEvent } from "../../src/queued-job.js";
import type { QueuedJobEventType } from "../../src/queued-job-status.js";
import { seededRandom } from "../support/seeded-random.js";

const event = (seq: number, { id = "a", type = "QUEUED", progress = 0 }: { id?: string; type?: QueuedJobEventType; progress?: number } = {}): QueuedJobEvent => ({ seq, type, at: "2026-01-01T00:00:00.000Z", queuedJob: { id, progress } as QueuedJob });
const progress = (seq: number, id = "a", value = 0.5) => event(seq, { id, type: "PROGRESS", progress: value });

function hear(channel: Channel, ...events: QueuedJobEvent[]): void {
  const head = events.findLast(({ type }) => type !== "PROGRESS")?.seq ?? null;
  channel.hear({ head, events });
}

/** The numbers that can be had without a query from this position on. */
function atHand(channel: Channel, from: number): number[] {
  const found: number[] = [];
  for (let next = channel.after(from); next; next = channel.after(next.seq)) found.push(next.seq);
  return found;
}

describe("the ring of a channel", () => {
  it("gives what follows a position, and nothing for one before it or at its end", () => {
    const channel = createChannel();
    assert.deepEqual([channel.after(0), channel.head], [undefined, 0]);
    hear(channel, event(5), event(6));
    hear(channel, event(7));
    assert.deepEqual([0, 3, 4, 5, 6, 7, 8].map((seq) => channel.after(seq)?.seq), [undefined, undefined, 5, 6, 7, undefined, undefined]);
    assert.equal(channel.head, 7);
  });

  it("begins anew at a hole, so that what it has follows each other without one", () => {
    const channel = createChannel();
    hear(channel, event(1), event(2));
    hear(channel, event(4));
    assert.deepEqual([atHand(channel, 0), atHand(channel, 2), atHand(channel, 3)], [[], [], [4]]);
  });

  it("begins anew behind a bell that carried numbers only", () => {
    const channel = createChannel();
    hear(channel, event(1));
    channel.hear({ head: 3, events: [] });
    assert.deepEqual([channel.head, atHand(channel, 0)], [3, [1]]);
    hear(channel, event(4));
    assert.deepEqual([channel.head, atHand(channel, 0), atHand(channel, 3)], [4, [], [4]]);
  });

  it("takes doubled and reordered bells as if they had come once and in order, or leaves them out", () => {
    const channel = createChannel();
    for (const seq of [1, 1, 2, 2, 1, 3]) hear(channel, event(seq));
    assert.deepEqual(atHand(channel, 0), [1, 2, 3]);
    hear(channel, event(5));
    hear(channel, event(4));
    assert.deepEqual([channel.head, atHand(channel, 3), atHand(channel, 4)], [5, [], [5]]);
  });

  it("holds the newest 256, however many come at once", () => {
    const channel = createChannel();
    for (let seq = 1; seq <= 1000; seq++) hear(channel, event(seq));
    assert.deepEqual([channel.after(743), channel.after(744)?.seq, atHand(channel, 744).length], [undefined, 745, 256]);
    hear(channel, ...Array.from({ length: 500 }, (_, i) => event(1001 + i)));
    assert.deepEqual([channel.after(1243), channel.after(1244)?.seq, atHand(channel, 1244).length], [undefined, 1245, 256]);
  });

  it("agrees with the log, in whatever order and how often the bells come", () => {
    const { seed, below } = seededRandom();
    const channel = createChannel();
    const bells = Array.from({ length: 300 }, (_, i) => i + 1).flatMap((seq) => (below(4) === 0 ? [] : below(4) === 0 ? [seq, seq] : [seq]));
    for (let i = bells.length - 1; i > 0; i--) {
      const j = Math.max(0, i - below(5));
      [bells[i], bells[j]] = [bells[j] ?? 0, bells[i] ?? 0];
    }
    for (const seq of bells) {
      hear(channel, event(seq));
      for (let from = 0; from <= 300; from++) {
        const next = channel.after(from);
        assert.ok(next === undefined || next.seq === from + 1, `after ${from} came ${next?.seq}; seed ${seed}`);
      }
    }
    assert.equal(channel.head, Math.max(...bells), `seed ${seed}`);
  });
});

describe("the head of a channel", () => {
  it("never falls by a bell", () => {
    const channel = createChannel();
    channel.hear({ head: 9, events: [] });
    channel.hear({ head: 4, events: [] });
    hear(channel, progress(2));
    assert.deepEqual([channel.head, channel.bells], [9, 3]);
  });

  it("is what the log says when no bell rang since it was asked: a bell that lied is forgotten", () => {
    const channel = createChannel();
    channel.hear({ head: 1_000_000, events: [] });
    channel.confirmHead(7, channel.bells);
    assert.equal(channel.head, 7);
  });

  it("is the higher of both when a bell rang while the log was asked", () => {
    const channel = createChannel();
    const before = channel.bells;
    hear(channel, event(8));
    channel.confirmHead(7, before);
    assert.equal(channel.head, 8);
    channel.confirmHead(9, before);
    assert.equal(channel.head, 9);
  });
});

describe("the progress that a channel has", () => {
  it("is the last of each QueuedJob, oldest news first", () => {
    const channel = createChannel();
    hear(channel, event(1, { id: "a" }), event(2, { id: "b" }));
    for (const [seq, id, value] of [[1, "a", 0.1], [2, "b", 0.2], [1, "a", 0.3]] as const) hear(channel, progress(seq, id, value));
    const first = channel.progressAfter(0, 2, null);
    const second = channel.progressAfter(first?.serial ?? 0, 2, null);
    assert.deepEqual([first, second].map((entry) => [entry?.event.queuedJob.id, entry?.event.queuedJob.progress]), [["b", 0.2], ["a", 0.3]]);
    assert.equal(channel.progressAfter(second?.serial ?? 0, 2, null), undefined);
    assert.equal(channel.progressAfter(0, 2, "a")?.event.queuedJob.progress, 0.3);
    assert.equal(channel.progressAfter(0, 2, "c"), undefined);
  });

  it("does not overtake the start of its attempt", () => {
    const channel = createChannel();
    hear(channel, progress(4));
    assert.equal(channel.progressAfter(0, 3, null), undefined);
    assert.equal(channel.progressAfter(0, 4, null)?.event.seq, 4);
  });

  it("is dropped once a later event of its QueuedJob was heard, and not taken behind it", () => {
    const channel = createChannel();
    hear(channel, progress(1));
    hear(channel, event(2, { type: "SUCCEEDED" }));
    assert.equal(channel.progressAfter(0, 9, null), undefined);
    hear(channel, progress(1));
    assert.equal(channel.progressAfter(0, 9, null), undefined);
    hear(channel, progress(3));
    assert.equal(channel.progressAfter(0, 9, null)?.event.seq, 3, "the next attempt's");
  });

  it("is dropped, too, once a later event was read from the log", () => {
    const channel = createChannel();
    hear(channel, progress(1));
    channel.saw([event(2, { type: "CANCELLED" })]);
    hear(channel, progress(1));
    assert.equal(channel.progressAfter(0, 9, null), undefined);
  });

  it("of one QueuedJob is not dropped by the events of another", () => {
    const channel = createChannel();
    hear(channel, progress(1, "a"));
    hear(channel, event(2, { id: "b", type: "SUCCEEDED" }));
    assert.equal(channel.progressAfter(0, 9, null)?.event.queuedJob.id, "a");
  });
});

describe("waiting for news of a channel", () => {
  it("ends at the next bell, for everybody who waits", async () => {
    const channel = createChannel();
    let woken = 0;
    for (let i = 0; i < 3; i++) void channel.news(null).then(() => woken++);
    await turn();
    assert.equal(woken, 0);
    channel.hear({ head: 1, events: [] });
    await turn();
    assert.equal(woken, 3);
  });

  it("ends when it is woken, and when its time is up", async () => {
    const channel = createChannel();
    const waiting = channel.news(null);
    channel.wake();
    await waiting;
    await channel.news(1);
  });
});
