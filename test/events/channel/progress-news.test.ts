import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProgressNews } from "../../../src/events/channel.js";
import { bareEvent } from "../../support/asserts/bare-event.js";

const progress = (seq: number, id = "a", value = 0.5) =>
  bareEvent(seq, { id, type: "PROGRESS", progress: value });

describe("the progress in a channel", () => {
  it("is the last PROGRESS of each QueuedJob, oldest first", () => {
    const news = new ProgressNews();
    for (const [seq, id, value] of [
      [1, "a", 0.1],
      [2, "b", 0.2],
      [1, "a", 0.3],
    ] as const)
      news.receive(progress(seq, id, value));
    const first = news.after(0, 2, null);
    const second = news.after(first?.serial ?? 0, 2, null);
    assert.deepEqual(
      [first, second].map((entry) => [entry?.event.queuedJob.id, entry?.event.queuedJob.progress]),
      [
        ["b", 0.2],
        ["a", 0.3],
      ],
    );
    assert.equal(second?.serial, news.serial);
    assert.equal(news.after(news.serial, 2, null), undefined);
    assert.equal(news.after(0, 2, "a")?.event.queuedJob.progress, 0.3);
    assert.equal(news.after(0, 2, "c"), undefined);
  });

  it("does not overtake the start of its attempt", () => {
    const news = new ProgressNews();
    news.receive(progress(4));
    assert.equal(news.after(0, 3, null), undefined);
    assert.equal(news.after(0, 4, null)?.event.seq, 4);
  });

  it("is dropped after a later event of its QueuedJob, and not accepted after it", () => {
    const news = new ProgressNews();
    news.receive(progress(1));
    news.receiveLogged(bareEvent(2, { type: "SUCCEEDED" }));
    assert.equal(news.after(0, 9, null), undefined);
    news.receive(progress(1));
    assert.equal(news.after(0, 9, null), undefined);
    news.receive(progress(3));
    assert.equal(news.after(0, 9, null)?.event.seq, 3, "this belongs to the next attempt");
  });

  it("of one QueuedJob is not dropped by the events of another", () => {
    const news = new ProgressNews();
    news.receive(progress(1, "a"));
    news.receiveLogged(bareEvent(2, { id: "b", type: "SUCCEEDED" }));
    assert.equal(news.after(0, 9, null)?.event.queuedJob.id, "a");
  });

  it("is kept for at most a thousand QueuedJobs, the most recent ones", () => {
    const news = new ProgressNews();
    for (let i = 0; i < 1001; i++) news.receive(progress(1, String(i)));
    assert.deepEqual(
      [news.after(0, 9, "0"), news.after(0, 9, "1")?.event.queuedJob.id],
      [undefined, "1"],
    );
  });

  it("is recognised as stale for a minute, and for the last thousand QueuedJobs", () => {
    const news = new ProgressNews();
    news.receiveLogged(bareEvent(2, { id: "old" }));
    for (let i = 0; i < 30; i++) news.forget();
    for (let i = 0; i < 1000; i++) news.receiveLogged(bareEvent(3 + i, { id: String(i) }));
    news.receive(progress(1, "old"));
    assert.equal(news.after(0, 9999, null), undefined);
    for (let i = 0; i < 60; i++) news.forget();
    news.receive(progress(1, "old"));
    assert.equal(news.after(0, 9999, null)?.event.queuedJob.id, "old");
  });
});
