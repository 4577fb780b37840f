import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { UserShare } from "../../src/worker/user-share.js";

/** How many of a user's tasks may begin at once, of which none ends. */
async function enterAll(share: UserShare, userId: string, count: number): Promise<number> {
  const entered = await Promise.all(Array.from({ length: count }, () => share.enter(userId)));
  return entered.filter(Boolean).length;
}

describe("the share that one user has of the slots", () => {
  const reserves: [slots: number, reserve: number][] = [[1, 0], [2, 1], [4, 1], [19, 1], [20, 2], [100, 10]];
  for (const [slots, reserve] of reserves) {
    it(`is all but ${reserve} of ${slots}`, async () => {
      const share = new UserShare(slots);
      assert.equal(await enterAll(share, "ann", slots), slots - reserve);
      assert.equal(await enterAll(share, "bob", slots), slots - reserve, "another's is its own");
    });
  }

  it("lets what waits run, first come first served, as soon as another of the same user has ended", async () => {
    const share = new UserShare(2);
    const entered: string[] = [];
    await share.enter("ann");
    for (const name of ["first", "second"]) void share.enter("ann").then((mayRun) => mayRun && entered.push(name));
    await share.enter("bob");
    share.leave("bob");
    await turn();
    assert.deepEqual(entered, []);
    share.leave("ann");
    await turn();
    assert.deepEqual(entered, ["first"]);
    share.leave("ann");
    await turn();
    assert.deepEqual(entered, ["first", "second"]);
  });

  it("is whole again when all have ended", async () => {
    const share = new UserShare(4);
    for (let round = 0; round < 2; round++) {
      assert.equal(await enterAll(share, "ann", 3), 3);
      for (let i = 0; i < 3; i++) share.leave("ann");
    }
  });

  it("refuses at once what waits when the worker closes", async () => {
    const share = new UserShare(10_000);
    await Promise.all(Array.from({ length: 9000 }, () => share.enter("ann")));
    const waiting = Promise.all(Array.from({ length: 3 }, () => share.enter("ann")));
    const begun = performance.now();
    share.close();
    assert.deepEqual(await waiting, [false, false, false]);
    assert.ok(performance.now() - begun < 400);
  });
});
