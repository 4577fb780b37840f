import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import { createOwnerBatch } from "../../../src/services/queued-jobs/owner-batch.js";
import { eventually } from "../../support/runner/eventually.js";

/** The error of a statement that waited too long for a lock. */
const lockTimeout = () =>
  new ServiceUnavailableError("The database is unavailable.", { cause: { code: "55P03" } });

/** Records what is sent, as `<owner><number>`; a batch with an item of a locked owner fails. */
function createRecorder({ timeoutMs = 60_000, fault = lockTimeout } = {}) {
  const sent: string[][] = [];
  const locked = new Set<string>();
  async function send(items: string[]): Promise<string[]> {
    sent.push(items);
    await new Promise(setImmediate);
    if (items.some((item) => locked.has(item.slice(0, 1)))) throw fault();
    return items.map((item) => `${item} done`);
  }
  const submit = createOwnerBatch<string, string>({
    lanes: 1,
    maxItems: 100,
    timeoutMs,
    laneOf: () => "",
    keyOf: (item) => item,
    ownerOf: (item) => item.slice(0, 1),
    sendOne: async (item) => (await send([item]))[0] ?? "",
    sendMany: send,
  });
  return { sent, locked, submit };
}

describe("a batch of several owners", () => {
  it("is sent as one while nothing is locked", async () => {
    const { sent, submit } = createRecorder();
    assert.deepEqual(await Promise.all(["a1", "b1", "a2"].map(submit)), [
      "a1 done",
      "b1 done",
      "a2 done",
    ]);
    assert.deepEqual(sent, [["a1", "b1", "a2"]]);
  });

  it("is sent per owner when a row of one owner is locked, which delays only it", async () => {
    const { sent, locked, submit } = createRecorder();
    locked.add("x");
    let isDone = false;
    const held = Promise.all(["x1", "x2"].map(submit)).finally(() => (isDone = true));
    assert.deepEqual(await Promise.all(["a1", "b1", "a2"].map(submit)), [
      "a1 done",
      "b1 done",
      "a2 done",
    ]);
    assert.deepEqual(sent.slice(0, 4), [
      ["x1", "x2", "a1", "b1", "a2"],
      ["x1", "x2"],
      ["a1", "a2"],
      ["b1"],
    ]);
    assert.equal(isDone, false);
    locked.delete("x");
    assert.deepEqual(await held, ["x1 done", "x2 done"]);
  });

  it("keeps an owner with recently locked rows separate, and merges the others", async () => {
    const { sent, locked, submit } = createRecorder();
    locked.add("x");
    const [held, ...others] = ["x1", "a1", "b1"].map(submit);
    await Promise.all(others);
    locked.clear();
    await held;
    sent.splice(0);
    await Promise.all(["x2", "a2", "b2"].map(submit));
    assert.deepEqual(sent.toSorted(), [["a2", "b2"], ["x2"]]);
  });

  it("is not delayed for other owners by many locked ones", async () => {
    const { locked, submit } = createRecorder();
    for (const owner of "uvwxyz") locked.add(owner);
    const held = [..."uvwxyz"].map((owner) => submit(`${owner}1`));
    assert.deepEqual(await Promise.all(["a1", "b1"].map(submit)), ["a1 done", "b1 done"]);
    locked.clear();
    await Promise.all(held);
  });

  it("fails for an owner whose rows stay locked", async () => {
    const { sent, locked, submit } = createRecorder({ timeoutMs: 150 });
    locked.add("x");
    let outcome: string | null = null;
    void submit("x1").then(
      () => (outcome = "done"),
      (error: ServiceUnavailableError) => (outcome = error.code),
    );
    try {
      assert.equal(await eventually("it is over", () => outcome, 5000), "SERVICE_UNAVAILABLE");
    } finally {
      locked.clear();
    }
    assert.ok(sent.length >= 3, "it was retried before");
  });

  it("repeats nothing that failed for another reason", async () => {
    const { sent, locked, submit } = createRecorder({
      fault: () => new ServiceUnavailableError("The database is unavailable."),
    });
    locked.add("x");
    const outcomes = await Promise.allSettled(["x1", "a1"].map(submit));
    assert.deepEqual(
      [sent, outcomes.map(({ status }) => status)],
      [[["x1", "a1"]], ["rejected", "rejected"]],
    );
  });
});
