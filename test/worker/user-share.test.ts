import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { UserShare, type LeaveSlot } from "../../src/worker/user-share.js";

type Entered = LeaveSlot | number;

const tryAll = (share: UserShare, userId: string, count: number): Promise<Entered[]> =>
  Promise.all(Array.from({ length: count }, () => share.enter(userId)));

/**
 * Enters slots for tasks of a user that do not end by themselves; returns functions that end them.
 */
async function enterAll(share: UserShare, userId: string, count: number): Promise<LeaveSlot[]> {
  return (await tryAll(share, userId, count)).filter((entered) => typeof entered === "function");
}

function leave(entered: Entered | undefined): void {
  assert.ok(typeof entered === "function", "the task runs");
  entered();
}

/** A clock that only the test moves. */
function stopClock(t: TestContext): (ms: number) => void {
  // A whole number, because sums of fractions would miss a limit by rounding.
  let now = Math.ceil(performance.now());
  t.mock.method(performance, "now", () => now);
  return (ms) => {
    now += ms;
  };
}

describe("the share of a lane's slots that one user may hold", () => {
  const limits: [slots: number, slow: number, quick: number][] = [
    [1, 1, 1],
    [2, 1, 1],
    [4, 2, 3],
    [19, 10, 18],
    [20, 10, 18],
    [100, 50, 90],
  ];
  for (const [slots, slow, quick] of limits) {
    it(`is ${slow} of ${slots} slots while no task of the user has ended quickly`, async () => {
      const share = new UserShare(slots);
      assert.equal((await enterAll(share, "ann", slots)).length, slow);
      assert.equal((await enterAll(share, "bob", slots)).length, slow, "each user has a share");
    });

    it(`is ${quick} of ${slots} slots for a second after a quick end of a task`, async (t) => {
      const passMs = stopClock(t);
      const share = new UserShare(slots);
      const [first] = await enterAll(share, "ann", slots);
      passMs(999);
      first?.();
      passMs(999);
      // With a single slot, the last task was the user's only one, and the share forgets the user.
      assert.equal((await enterAll(share, "ann", slots)).length, quick - slow + 1);
    });
  }

  it("is half of the slots while another user is active, even for quick tasks", async (t) => {
    const passMs = stopClock(t);
    const share = new UserShare(20);
    for (const userId of ["bob", "ann"]) leave(await share.enter(userId));
    const enterHalf = async () => {
      const leaves = await enterAll(share, "ann", 20);
      assert.equal(leaves.length, 10);
      leaves.forEach(leave);
    };
    await enterHalf();
    passMs(4999);
    const lasting = await share.enter("ann");
    leave(await share.enter("ann"));
    assert.equal((await enterAll(share, "ann", 9)).length, 9);
    assert.equal((await enterAll(share, "ann", 1)).length, 0, "bob was active 4.999 s ago");
    passMs(1);
    assert.equal((await enterAll(share, "ann", 20)).length, 8, "bob has been away for 5 s");
    leave(lasting);
  });

  it("shrinks to half again when no task has ended quickly for a second", async (t) => {
    const passMs = stopClock(t);
    const share = new UserShare(20);
    const [slow] = await enterAll(share, "ann", 1);
    leave(await share.enter("ann"));
    const leaves = await enterAll(share, "ann", 17);
    assert.equal(leaves.length, 17);
    passMs(1000);
    slow?.();
    leaves.slice(0, 7).forEach(leave);
    assert.equal((await enterAll(share, "ann", 1)).length, 0, "ten slow tasks are left");
    leaves[7]?.();
    assert.equal((await enterAll(share, "ann", 2)).length, 1);
  });

  it("admits waiting tasks in order when another task of the user has ended", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const share = new UserShare(2);
    const started: string[] = [];
    const ends: Entered[] = [];
    const first = await share.enter("ann");
    for (const name of ["second", "third"]) {
      void share.enter("ann").then((entered) => {
        started.push(name);
        ends.push(entered);
      });
    }
    leave(await share.enter("bob"));
    await turn();
    assert.deepEqual(started, []);
    leave(first);
    await turn();
    assert.deepEqual(started, ["second"]);
    leave(ends[0]);
    await turn();
    assert.deepEqual(started, ["second", "third"]);
    leave(ends[1]);
  });

  it("refuses tasks at once that would wait for slow ones, and spreads them", async (t) => {
    const passMs = stopClock(t);
    const share = new UserShare(20);
    assert.equal((await enterAll(share, "ann", 10)).length, 10);
    passMs(1000);
    const startedAt = process.hrtime.bigint();
    const delays = await tryAll(share, "ann", 3);
    assert.ok(process.hrtime.bigint() - startedAt < 100_000_000n, "nothing waited in a slot");
    assert.deepEqual(delays, [1000, 1020, 1040]);
  });

  it("admits several tasks when the first quick end raises the limit", async () => {
    const share = new UserShare(10);
    const [first] = await enterAll(share, "ann", 5);
    const waiting = enterAll(share, "ann", 5);
    first?.();
    assert.equal((await waiting).length, 5);
  });

  it("is complete again when all tasks have ended", async () => {
    const share = new UserShare(4);
    for (let round = 0; round < 2; round++) {
      const leaves = await enterAll(share, "ann", 3);
      assert.equal(leaves.length, 2);
      leaves.forEach(leave);
    }
  });

  it("refuses waiting tasks at once when the worker closes", async () => {
    const share = new UserShare(10_000);
    await enterAll(share, "ann", 5000);
    const waiting = tryAll(share, "ann", 3);
    const startedAt = performance.now();
    share.close();
    assert.deepEqual(await waiting, [0, 0, 0]);
    assert.ok(performance.now() - startedAt < 400);
  });
});
