import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import {
  currentDeadline,
  withDeadline,
  withoutDeadline,
  type Deadline,
} from "../../src/runtime/deadline.js";

const never = () => assert.fail("it was not late");

describe("a deadline", () => {
  it("is visible to everything that the work does later, and to no other code", async () => {
    let inside: Deadline | undefined;
    const work = async () => {
      await pause(1);
      inside = currentDeadline();
      return "done";
    };
    assert.equal(await withDeadline(work, 10_000, never), "done");
    assert.deepEqual([inside?.passed, currentDeadline()], [false, undefined]);
  });

  it("notifies the work when it passes, and resolves with the late result", async () => {
    let deadline: Deadline | undefined;
    let calls = 0;
    const work = () => {
      deadline = currentDeadline();
      deadline?.onPassed(() => calls++);
      return new Promise<string>(() => {});
    };
    assert.equal(await withDeadline(work, 5, () => "late"), "late");
    assert.deepEqual([deadline?.passed, calls], [true, 1]);
  });

  it("has not passed if the work failed in time, and does not apply to shared work", async () => {
    let seen: (Deadline | undefined)[] = [];
    const work = async () => {
      seen = [currentDeadline(), withoutDeadline(currentDeadline)];
      throw new Error("failed");
    };
    await assert.rejects(withDeadline(work, 10_000, never), /^Error: failed$/);
    assert.deepEqual([seen[0]?.passed, seen[1]], [false, undefined]);
  });
});
