import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ring } from "../../src/events/ring.js";
import { bareEvent } from "../support/asserts/bare-event.js";
import { seededRandom } from "../support/runner/seeded-random.js";

function startedAt(seq: number, ...received: number[]): Ring {
  const ring = new Ring();
  ring.start(seq);
  for (const number of received) ring.receive(bareEvent(number));
  return ring;
}

/** Returns the event numbers available without a query after this position. */
function availableAfter(ring: Ring, from: number): number[] {
  const numbers: number[] = [];
  for (let next = ring.after(from); next; next = ring.after(next.seq)) numbers.push(next.seq);
  return numbers;
}

const events = (...numbers: number[]) => numbers.map((seq) => bareEvent(seq));

describe("the ring buffer of a channel", () => {
  it("returns the event after a position, and nothing before its start or at its end", () => {
    const ring = startedAt(4, 5, 6, 7);
    assert.deepEqual(
      [0, 3, 4, 5, 6, 7, 8].map((seq) => ring.after(seq)?.seq),
      [undefined, undefined, 5, 6, 7, undefined, undefined],
    );
    assert.deepEqual(
      [3, 4, 7, 8].map((seq) => ring.covers(seq)),
      [false, true, true, false],
    );
  });

  it("returns nothing until the position of the log is set, and then the following events", () => {
    const ring = new Ring();
    for (const event of events(3, 5, 4)) ring.receive(event);
    assert.deepEqual([ring.started, ring.covers(0), availableAfter(ring, 2)], [false, false, []]);
    ring.start(3);
    assert.deepEqual([availableAfter(ring, 3), availableAfter(ring, 2)], [[4, 5], []]);
    ring.start(9);
    assert.equal(ring.newest, 5, "it started a second time");
  });

  it("holds back an event that overtook another, and returns it after that", () => {
    const ring = startedAt(0, 1, 3, 4);
    assert.deepEqual([ring.newest, availableAfter(ring, 0)], [1, [1]]);
    ring.receive(bareEvent(2));
    assert.deepEqual([ring.newest, availableAfter(ring, 0)], [4, [1, 2, 3, 4]]);
  });

  it("passes over the numbers of the other stream, in any order", () => {
    const ring = startedAt(0, 1);
    for (const seq of [4, 2]) ring.skip(seq);
    assert.deepEqual([ring.newest, availableAfter(ring, 0)], [2, [1]]);
    ring.receive(bareEvent(3));
    ring.receive(bareEvent(5));
    assert.deepEqual([ring.newest, availableAfter(ring, 0)], [5, [1, 3, 5]]);
  });

  it("holds back only as many events as it can keep, the latest", () => {
    const ring = startedAt(0, ...Array.from({ length: 1000 }, (_, i) => i + 2));
    ring.receive(bareEvent(1));
    assert.equal(ring.newest, 1);
    ring.fill(1, events(), 745, true);
    assert.equal(ring.newest, 1001);
  });

  it("drops events held back when their notification was wrong", () => {
    const ring = startedAt(0, 2);
    ring.forgetAhead();
    ring.receive(bareEvent(1));
    assert.equal(ring.newest, 1);
  });

  it("keeps a repeated event once", () => {
    assert.deepEqual(availableAfter(startedAt(0, 1, 1, 3, 3, 2, 2, 1, 3), 0), [1, 2, 3]);
  });

  it("keeps the newest 256 events, however many arrive at once", () => {
    const ring = startedAt(0, ...Array.from({ length: 1000 }, (_, i) => i + 1));
    assert.deepEqual(
      [ring.after(743), ring.after(744)?.seq, availableAfter(ring, 744).length, ring.covers(743)],
      [undefined, 745, 256, false],
    );
  });

  it("fills gaps from a page of the log, including numbers without an event", () => {
    const ring = startedAt(0, 1, 6);
    ring.fill(1, events(3, 5), 5, true);
    assert.deepEqual(
      [
        ring.newest,
        availableAfter(ring, 0),
        availableAfter(ring, 1),
        availableAfter(ring, 2),
        availableAfter(ring, 3),
      ],
      [6, [1, 3, 5, 6], [3, 5, 6], [3, 5, 6], [5, 6]],
    );
    ring.fill(6, events(), 1_000_000, true);
    assert.deepEqual(
      [ring.newest, ring.after(999_999), ring.covers(1_000_000), ring.covers(6)],
      [1_000_000, undefined, true, false],
    );
  });

  it("starts with a page that reaches the newest event, and not with an older one", () => {
    const [whole, far] = [new Ring(), new Ring()];
    whole.fill(7, events(8, 9), 9, true);
    assert.deepEqual([whole.started, availableAfter(whole, 7)], [true, [8, 9]]);
    far.fill(7, events(8, 9), 9, false);
    assert.equal(far.started, false);
  });

  it("ignores an older page, and a page that starts after its end", () => {
    const ring = startedAt(10, 11, 12);
    ring.fill(2, events(3, 4), 4, false);
    ring.fill(10, events(11), 11, false);
    assert.deepEqual([ring.newest, availableAfter(ring, 10)], [12, [11, 12]]);
    ring.fill(20, events(21), 21, false);
    assert.equal(ring.newest, 12);
    ring.fill(20, events(21), 21, true);
    assert.deepEqual([ring.newest, ring.covers(12), availableAfter(ring, 20)], [21, false, [21]]);
  });

  it("drops the events from before the last call of forget", () => {
    const ring = startedAt(0, 1, 2);
    ring.forget();
    ring.receive(bareEvent(3));
    assert.deepEqual(availableAfter(ring, 0), [1, 2, 3]);
    ring.forget();
    assert.deepEqual([availableAfter(ring, 0), availableAfter(ring, 2), ring.newest], [[], [3], 3]);
    ring.forget();
    ring.forget();
    ring.receive(bareEvent(4));
    assert.deepEqual([availableAfter(ring, 2), availableAfter(ring, 3)], [[], [4]]);
  });

  it("agrees with the log for any order and repetition of notifications", () => {
    const { seed, below } = seededRandom();
    const ring = startedAt(0);
    const notifications = Array.from({ length: 300 }, (_, i) => i + 1).flatMap((seq) =>
      Array.from({ length: [0, 1, 1, 1, 1, 1, 1, 2][below(8)] ?? 1 }, () => seq),
    );
    for (let i = notifications.length - 1; i > 0; i--) {
      const j = Math.max(0, i - below(5));
      [notifications[i], notifications[j]] = [notifications[j] ?? 0, notifications[i] ?? 0];
    }
    for (const seq of notifications) {
      ring.receive(bareEvent(seq));
      for (let from = 0; from <= 300; from++) {
        const next = ring.after(from);
        assert.ok(
          next === undefined || next.seq === from + 1,
          `after ${from} came ${next?.seq}; seed ${seed}`,
        );
      }
      if (below(3) === 0) {
        const to = Math.min(300, ring.newest + below(4));
        ring.fill(
          ring.newest,
          Array.from({ length: to - ring.newest }, (_, i) => bareEvent(ring.newest + i + 1)),
          to,
          false,
        );
      }
    }
    assert.ok(ring.newest > 100, `${ring.newest}; seed ${seed}`);
  });
});
