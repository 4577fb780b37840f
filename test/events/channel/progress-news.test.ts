import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProgressNews } from "../../../src/events/channel.js";
import { bareEvent } from "../../support/asserts/bare-event.js";

const progress = (seq: number, id = "a", value = 0.5) =>
  bareEvent(seq, { id, type: "PROGRESS", progress: value });

describe("the progress that a channel has", () => {
  it("is the last of each QueuedJob, oldest news first", () => {
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

  it("is dropped once a later event of its QueuedJob was seen, and not taken behind it", () => {
    const news = new ProgressNews();
    news.receive(progress(1));
    news.saw(bareEvent(2, { type: "SUCCEEDED" }));
    assert.equal(news.after(0, 9, null), undefined);
    news.receive(progress(1));
    assert.equal(news.after(0, 9, null), undefined);
    news.receive(progress(3));
    assert.equal(news.after(0, 9, null)?.event.seq, 3, "the next attempt's");
  });

  it("of one QueuedJob is not dropped by the events of another", () => {
    const news = new ProgressNews();
    news.receive(progress(1, "a"));
    news.saw(bareEvent(2, { id: "b", type: "SUCCEEDED" }));
    assert.equal(news.after(0, 9, null)?.event.queuedJob.id, "a");
  });

  it("is that of a thousand QueuedJobs at most, those that were heard of last", () => {
    const news = new ProgressNews();
    for (let i = 0; i < 1001; i++) news.receive(progress(1, String(i)));
    assert.deepEqual(
      [news.after(0, 9, "0"), news.after(0, 9, "1")?.event.queuedJob.id],
      [undefined, "1"],
    );
  });

  it(
    "is known to be stale for a minute's worth of calls, and of a thousand QueuedJobs in " +
      "any case",
    () => {
      const news = new ProgressNews();
      news.saw(bareEvent(2, { id: "old" }));
      for (let i = 0; i < 30; i++) news.forget();
      for (let i = 0; i < 1000; i++) news.saw(bareEvent(3 + i, { id: String(i) }));
      news.receive(progress(1, "old"));
      assert.equal(news.after(0, 9999, null), undefined);
      for (let i = 0; i < 60; i++) news.forget();
      news.receive(progress(1, "old"));
      assert.equal(news.after(0, 9999, null)?.event.queuedJob.id, "old");
    },
  );
});
