import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServiceUnavailableError } from "../src/errors.js";
import { createMicroBatch } from "../src/micro-batch.js";

interface Item {
  user: string;
  id: number;
}

/** Writes down what is sent; each call ends when it is told to. */
function createRecorder({ maxItems = 100, fault = () => null }: { maxItems?: number; fault?: (ids: number[]) => Error | null } = {}) {
  const sent: number[][] = [];
  const pending: (() => void)[] = [];
  async function send(items: Item[]): Promise<number[]> {
    const ids = items.map(({ id }) => id);
    sent.push(ids);
    await new Promise<void>((resolve) => pending.push(resolve));
    const error = fault(ids);
    if (error) throw error;
    return ids.map((id) => 10 * id);
  }
  const submit = createMicroBatch<Item, number>({
    lanes: 2,
    maxItems,
    laneOf: ({ user }) => user,
    keyOf: ({ id }) => String(id),
    sendOne: async (item) => (await send([item]))[0] ?? 0,
    sendMany: send,
  });
  /** Lets everything end, until there is nothing left to send. */
  async function settle<T>(results: Promise<T>): Promise<T> {
    let over = false;
    const done = results.finally(() => (over = true));
    done.catch(() => {});
    while (!over) {
      pending.splice(0).forEach((end) => end());
      await new Promise(setImmediate);
    }
    return done;
  }
  return { sent, submit, settle, turn: () => new Promise(setImmediate) };
}

const of = (user: string, ...ids: number[]): Item[] => ids.map((id) => ({ user, id }));

describe("a micro-batch", () => {
  it("sends one that comes alone at once", async () => {
    const { sent, submit, settle, turn } = createRecorder();
    const result = submit({ user: "a", id: 1 });
    await turn();
    assert.deepEqual(sent, [[1]]);
    assert.equal(await settle(result), 10);
  });

  it("sends together what comes while another is under way, and gives each its own result", async () => {
    const { sent, submit, settle, turn } = createRecorder();
    const first = submit({ user: "a", id: 1 });
    await turn();
    const results = await settle(Promise.all([first, ...of("a", 2, 3, 4).map(submit)]));
    assert.deepEqual([sent, results], [[[1], [2, 3, 4]], [10, 20, 30, 40]]);
  });

  it("begins nothing in a lane while another is under way there", async () => {
    const { sent, submit, settle, turn } = createRecorder();
    const first = submit({ user: "a", id: 1 });
    await turn();
    const second = submit({ user: "a", id: 2 });
    await turn();
    assert.deepEqual(sent, [[1]]);
    await settle(Promise.all([first, second]));
    assert.deepEqual(sent, [[1], [2]]);
  });

  it("holds no more than it may, in the order of arrival", async () => {
    const { sent, submit, settle } = createRecorder({ maxItems: 2 });
    await settle(Promise.all(of("a", 1, 2, 3, 4, 5).map(submit)));
    assert.deepEqual(sent, [[1, 2], [3, 4], [5]]);
  });

  it("leaves the second of the same key to the next batch, and what follows it of that key behind it", async () => {
    const { sent, submit, settle } = createRecorder();
    await settle(Promise.all(of("a", 1, 1, 2, 1).map(submit)));
    assert.deepEqual(sent, [[1, 2], [1], [1]]);
  });

  it("does not let the items of another lane wait", async () => {
    const { sent, submit, settle, turn } = createRecorder();
    const all = ["a", "b"].map((user, id) => submit({ user, id }));
    await turn();
    assert.deepEqual(sent.flat().toSorted(), [0, 1]);
    await settle(Promise.all(all));
  });

  it("sends the items of a batch that failed one by one, so that a bad one harms only itself", async () => {
    const { sent, submit, settle } = createRecorder({ fault: (ids) => (ids.includes(2) ? new Error("bad") : null) });
    const results = await settle(Promise.allSettled(of("a", 1, 2, 3).map(submit)));
    assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
    assert.deepEqual(sent, [[1, 2, 3], [1], [2], [3]]);
  });

  it("repeats nothing when the service is away: the batch may have arrived", async () => {
    const { sent, submit, settle } = createRecorder({ fault: () => new ServiceUnavailableError("away") });
    const results = await settle(Promise.allSettled(of("a", 1, 2, 3).map(submit)));
    assert.deepEqual([sent, results.map(({ status }) => status)], [[[1, 2, 3]], ["rejected", "rejected", "rejected"]]);
  });

  it("goes on after a failure", async () => {
    const { submit, settle } = createRecorder({ fault: (ids) => (ids.includes(1) ? new Error("bad") : null) });
    await assert.rejects(settle(submit({ user: "a", id: 1 })), /bad/);
    assert.equal(await settle(submit({ user: "a", id: 2 })), 20);
  });
});
