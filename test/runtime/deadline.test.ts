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
  it("is seen by all that the work does, however long after, and by nobody else", async () => {
    let inside: Deadline | undefined;
    const work = async () => {
      await pause(1);
      inside = currentDeadline();
      return "done";
    };
    assert.equal(await withDeadline(work, 10_000, never), "done");
    assert.deepEqual([inside?.passed, currentDeadline()], [false, undefined]);
  });

  it("tells the work that nobody waits for it, and answers in its place", async () => {
    let deadline: Deadline | undefined;
    let told = 0;
    const work = () => {
      deadline = currentDeadline();
      deadline?.onPassed(() => told++);
      return new Promise<string>(() => {});
    };
    assert.equal(await withDeadline(work, 5, () => "late"), "late");
    assert.deepEqual([deadline?.passed, told], [true, 1]);
  });

  it(
    "has not passed when the work failed in time, and is none for what others wait for as " +
      "well",
    async () => {
      let seen: (Deadline | undefined)[] = [];
      const work = async () => {
        seen = [currentDeadline(), withoutDeadline(currentDeadline)];
        throw new Error("failed");
      };
      await assert.rejects(withDeadline(work, 10_000, never), /^Error: failed$/);
      assert.deepEqual([seen[0]?.passed, seen[1]], [false, undefined]);
    },
  );
});
