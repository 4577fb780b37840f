import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { deadlineSignal, withDeadline, withoutDeadline } from "../src/deadline.js";
import { eventually } from "./support/eventually.js";

const never = () => assert.fail("it was not late");

describe("a deadline", () => {
  it("is seen by all that the work does, however long after, and by nobody else", async () => {
    let inside: AbortSignal | undefined;
    const work = async () => {
      await pause(1);
      inside = deadlineSignal();
      return "done";
    };
    assert.equal(await withDeadline(work, 10_000, never), "done");
    assert.deepEqual([inside?.aborted, deadlineSignal()], [false, undefined]);
  });

  it("tells the work that nobody waits for it, and answers in its place", async () => {
    let signal: AbortSignal | undefined;
    const work = () => {
      signal = deadlineSignal();
      return new Promise<string>(() => {});
    };
    assert.equal(await withDeadline(work, 5, () => "late"), "late");
    await eventually("it is told", () => signal?.aborted);
  });

  it("has not passed when the work failed in time, and is none for what others wait for as well", async () => {
    let signals: (AbortSignal | undefined)[] = [];
    const work = async () => {
      signals = [deadlineSignal(), withoutDeadline(deadlineSignal)];
      throw new Error("failed");
    };
    await assert.rejects(withDeadline(work, 10_000, never), /^Error: failed$/);
    assert.deepEqual([signals[0]?.aborted, signals[1]], [false, undefined]);
  });
});
