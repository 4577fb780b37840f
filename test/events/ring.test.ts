import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ring } from "../../src/events/ring.js";
import { bareEvent } from "../support/asserts/bare-event.js";
import { seededRandom } from "../support/runner/seeded-random.js";

function startedAt(seq: number, ...heard: number[]): Ring {
  const ring = new Ring();
  ring.start(seq);
  for (const number of heard) ring.receive(bareEvent(number));
  return ring;
}

/** The numbers that can be had without a query from this position on. */
function atHand(ring: Ring, from: number): number[] {
  const found: number[] = [];
  for (let next = ring.after(from); next; next = ring.after(next.seq)) found.push(next.seq);
  return found;
}

const events = (...numbers: number[]) => numbers.map((seq) => bareEvent(seq));

describe("the ring of a channel", () => {
  it("gives what follows a position, and nothing for one before it or at its end", () => {
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

  it("gives nothing until it is known where the log stands, and then what followed that", () => {
    const ring = new Ring();
    for (const event of events(3, 5, 4)) ring.receive(event);
    assert.deepEqual([ring.started, ring.covers(0), atHand(ring, 2)], [false, false, []]);
    ring.start(3);
    assert.deepEqual([atHand(ring, 3), atHand(ring, 2)], [[4, 5], []]);
    ring.start(9);
    assert.equal(ring.newest, 5, "it started a second time");
  });

  it("keeps aside what has overtaken another, and gives it behind that", () => {
    const ring = startedAt(0, 1, 3, 4);
    assert.deepEqual([ring.newest, atHand(ring, 0)], [1, [1]]);
    ring.receive(bareEvent(2));
    assert.deepEqual([ring.newest, atHand(ring, 0)], [4, [1, 2, 3, 4]]);
  });

  it("keeps no more aside than it holds, the latest", () => {
    const ring = startedAt(0, ...Array.from({ length: 1000 }, (_, i) => i + 2));
    ring.receive(bareEvent(1));
    assert.equal(ring.newest, 1);
    ring.learn(1, events(), 745, true);
    assert.equal(ring.newest, 1001);
  });

  it("forgets what it kept aside when that is told to be none", () => {
    const ring = startedAt(0, 2);
    ring.forgetAhead();
    ring.receive(bareEvent(1));
    assert.equal(ring.newest, 1);
  });

  it("takes what comes twice once", () => {
    assert.deepEqual(atHand(startedAt(0, 1, 1, 3, 3, 2, 2, 1, 3), 0), [1, 2, 3]);
  });

  it("holds the newest 256, however many come at once", () => {
    const ring = startedAt(0, ...Array.from({ length: 1000 }, (_, i) => i + 1));
    assert.deepEqual(
      [ring.after(743), ring.after(744)?.seq, atHand(ring, 744).length, ring.covers(743)],
      [undefined, 745, 256, false],
    );
  });

  it("learns from a page of the log what no notification told, numbers without an event too", () => {
    const ring = startedAt(0, 1, 6);
    ring.learn(1, events(3, 5), 5, true);
    assert.deepEqual(
      [ring.newest, atHand(ring, 0), atHand(ring, 1), atHand(ring, 2), atHand(ring, 3)],
      [6, [1, 3, 5, 6], [3, 5, 6], [3, 5, 6], [5, 6]],
    );
    ring.learn(6, events(), 1_000_000, true);
    assert.deepEqual(
      [ring.newest, ring.after(999_999), ring.covers(1_000_000), ring.covers(6)],
      [1_000_000, undefined, true, false],
    );
  });

  it("starts with a page that reaches the present, and not with one of the far past", () => {
    const [whole, far] = [new Ring(), new Ring()];
    whole.learn(7, events(8, 9), 9, true);
    assert.deepEqual([whole.started, atHand(whole, 7)], [true, [8, 9]]);
    far.learn(7, events(8, 9), 9, false);
    assert.equal(far.started, false);
  });

  it("is not taken back by a page of the past, nor torn by one that begins behind its end", () => {
    const ring = startedAt(10, 11, 12);
    ring.learn(2, events(3, 4), 4, false);
    ring.learn(10, events(11), 11, false);
    assert.deepEqual([ring.newest, atHand(ring, 10)], [12, [11, 12]]);
    ring.learn(20, events(21), 21, false);
    assert.equal(ring.newest, 12);
    ring.learn(20, events(21), 21, true);
    assert.deepEqual([ring.newest, ring.covers(12), atHand(ring, 20)], [21, false, [21]]);
  });

  it("lets go of what was there at the last call", () => {
    const ring = startedAt(0, 1, 2);
    ring.forget();
    ring.receive(bareEvent(3));
    assert.deepEqual(atHand(ring, 0), [1, 2, 3]);
    ring.forget();
    assert.deepEqual([atHand(ring, 0), atHand(ring, 2), ring.newest], [[], [3], 3]);
    ring.forget();
    ring.forget();
    ring.receive(bareEvent(4));
    assert.deepEqual([atHand(ring, 2), atHand(ring, 3)], [[], [4]]);
  });

  it("agrees with the log, in whatever order and how often the notifications come", () => {
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
        ring.learn(
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
