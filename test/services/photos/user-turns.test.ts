import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import { UserTurns } from "../../../src/services/photos/user-turns.js";

/** Works that note their beginning. */
function createWorks(limits: { concurrency?: number; maxWaitingPerUser?: number } = {}) {
  const begun: string[] = [];
  const turns = new UserTurns({ concurrency: 1, maxWaiting: 3, maxWaitingPerUser: 3, ...limits });
  const add = (name: string) =>
    turns.run(name.charAt(0), async () => {
      begun.push(name);
      await new Promise((resolve) => setImmediate(resolve));
      if (name.endsWith("!")) throw new Error(`${name} failed`);
      return name;
    });
  return { begun, turns, add };
}

const REFUSED = {
  name: ServiceUnavailableError.name,
  message: "Too many images are waiting to be made; try again in a moment.",
};

describe("the turns of users", () => {
  it("alternate between users, also when one has more work", async () => {
    const { begun, turns, add } = createWorks();
    await Promise.all(["a1", "a2", "a3", "b1"].map(add));
    assert.deepEqual(begun, ["a1", "a2", "b1", "a3"]);
    assert.equal(turns.waiting, 0);
  });

  it("are refused above the limits of one user and of all, and accepted again later", async () => {
    const { begun, turns, add } = createWorks({ maxWaitingPerUser: 2 });
    const accepted = ["a1", "a2", "a3"].map(add);
    await assert.rejects(add("a4"), REFUSED);
    accepted.push(add("b1"));
    await assert.rejects(add("c1"), REFUSED);
    assert.equal(turns.waiting, 3);
    await Promise.all(accepted);
    assert.equal(await add("a5"), "a5");
    assert.deepEqual(begun, ["a1", "a2", "b1", "a3", "a5"]);
  });

  it("run as many works at the same time as allowed, and go on after a failure", async () => {
    const { begun, add } = createWorks({ concurrency: 2 });
    const works = ["a1!", "a2", "a3!", "a4"].map((name) => add(name).catch(String));
    assert.deepEqual(begun, ["a1!", "a2"]);
    assert.deepEqual(await Promise.all(works), [
      "Error: a1! failed",
      "a2",
      "Error: a3! failed",
      "a4",
    ]);
  });
});
