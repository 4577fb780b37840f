import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { QueuedJobEvent } from "../../src/domain/queued-job.js";
import { ProgressUpdates } from "../../src/events/progress-updates.js";
import { bareEvent } from "../support/asserts/bare-event.js";

const progress = (seq: number, id = "a", value = 0.5) =>
  bareEvent(seq, { id, type: "PROGRESS", progress: value });
const all = () => true;
const of =
  (id: string) =>
  ({ queuedJob }: QueuedJobEvent) =>
    queuedJob.id === id;

describe("the progress in a channel", () => {
  it("is the last PROGRESS of each QueuedJob, oldest first", () => {
    const updates = new ProgressUpdates();
    for (const [seq, id, value] of [
      [1, "a", 0.1],
      [2, "b", 0.2],
      [1, "a", 0.3],
    ] as const)
      updates.receive(progress(seq, id, value));
    const first = updates.after(0, 2, all);
    const second = updates.after(first?.serial ?? 0, 2, all);
    assert.deepEqual(
      [first, second].map((entry) => [entry?.event.queuedJob.id, entry?.event.queuedJob.progress]),
      [
        ["b", 0.2],
        ["a", 0.3],
      ],
    );
    assert.equal(second?.serial, updates.serial);
    assert.equal(updates.after(updates.serial, 2, all), undefined);
    assert.equal(updates.after(0, 2, of("a"))?.event.queuedJob.progress, 0.3);
    assert.equal(updates.after(0, 2, of("c")), undefined);
  });

  it("does not overtake the start of its attempt", () => {
    const updates = new ProgressUpdates();
    updates.receive(progress(4));
    assert.equal(updates.after(0, 3, all), undefined);
    assert.equal(updates.after(0, 4, all)?.event.seq, 4);
  });

  it("is dropped after a later event of its QueuedJob, and not accepted after it", () => {
    const updates = new ProgressUpdates();
    updates.receive(progress(1));
    updates.receiveLogged(bareEvent(2, { type: "SUCCEEDED" }));
    assert.equal(updates.after(0, 9, all), undefined);
    updates.receive(progress(1));
    assert.equal(updates.after(0, 9, all), undefined);
    updates.receive(progress(3));
    assert.equal(updates.after(0, 9, all)?.event.seq, 3, "this belongs to the next attempt");
  });

  it("of one QueuedJob is not dropped by the events of another", () => {
    const updates = new ProgressUpdates();
    updates.receive(progress(1, "a"));
    updates.receiveLogged(bareEvent(2, { id: "b", type: "SUCCEEDED" }));
    assert.equal(updates.after(0, 9, all)?.event.queuedJob.id, "a");
  });

  it("is kept for at most a thousand QueuedJobs, the most recent ones", () => {
    const updates = new ProgressUpdates();
    for (let i = 0; i < 1001; i++) updates.receive(progress(1, String(i)));
    assert.deepEqual(
      [updates.after(0, 9, of("0")), updates.after(0, 9, of("1"))?.event.queuedJob.id],
      [undefined, "1"],
    );
  });

  it("is recognised as stale for a minute, and for the last thousand QueuedJobs", () => {
    const updates = new ProgressUpdates();
    updates.receiveLogged(bareEvent(2, { id: "old" }));
    for (let i = 0; i < 30; i++) updates.forget();
    for (let i = 0; i < 1000; i++) updates.receiveLogged(bareEvent(3 + i, { id: String(i) }));
    updates.receive(progress(1, "old"));
    assert.equal(updates.after(0, 9999, all), undefined);
    for (let i = 0; i < 60; i++) updates.forget();
    updates.receive(progress(1, "old"));
    assert.equal(updates.after(0, 9999, all)?.event.queuedJob.id, "old");
  });

  it("shows the counts of a group as the last logged event did", () => {
    const updates = new ProgressUpdates();
    const counts = (pending: number, started: number) => ({
      group: { id: "g", pending, started, finishedAt: null, progress: 0.5 },
    });
    const shown = () => {
      const { group } = updates.after(0, 9, all)?.event.queuedJob.member ?? assert.fail();
      return [group.pending, group.started];
    };
    updates.receiveLogged(bareEvent(2, { id: "a", type: "STARTED", ...counts(1, 2) }));
    updates.receiveLogged(bareEvent(1, { id: "b", type: "STARTED", ...counts(2, 1) }));
    updates.receive(bareEvent(2, { id: "a", type: "PROGRESS", ...counts(2, 1) }));
    assert.deepEqual(shown(), [1, 2], "it was read before the last step");
    updates.receiveLogged(bareEvent(3, { id: "b", type: "SUCCEEDED", ...counts(1, 1) }));
    assert.deepEqual(shown(), [1, 1], "it waited for its subscriber during a step");
    updates.receive(bareEvent(2, { id: "a", type: "PROGRESS", ...counts(0, 2) }));
    assert.deepEqual(shown(), [1, 1], "it was read after a step whose event has not arrived");
  });
});
