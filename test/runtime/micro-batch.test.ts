import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withDeadline } from "../../src/runtime/deadline.js";
import { ServiceUnavailableError } from "../../src/domain/errors.js";
import { createSlots, type Slots } from "../../src/runtime/concurrency.js";
import { createMicroBatch, onRefusal, type Refusal } from "../../src/runtime/micro-batch.js";
import { refusalOf } from "../support/asserts/refusal-of.js";

interface Item {
  user: string;
  id: number;
}

/** Records what is sent; each call ends when `settle` lets it. */
function createRecorder({
  maxItems = 100,
  fault = () => null,
  ...more
}: {
  maxItems?: number;
  fault?: (ids: number[]) => Error | null;
  turns?: Slots;
  tookTooLong?: (error: unknown) => boolean;
} = {}) {
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
    ...more,
    laneOf: ({ user }) => user,
    keyOf: ({ id }) => String(id),
    sendOne: async (item) => (await send([item]))[0] ?? 0,
    sendMany: send,
  });
  /** Ends all calls until nothing is left to send. */
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

const OVERLOADED = {
  code: "SERVICE_UNAVAILABLE",
  message: "Too many requests are waiting for the database; try again in a moment.",
};

const of = (user: string, ...ids: number[]): Item[] => ids.map((id) => ({ user, id }));

describe("a micro-batch", () => {
  it("sends a lone item at once", async () => {
    const { sent, submit, settle, turn } = createRecorder();
    const result = submit({ user: "a", id: 1 });
    await turn();
    assert.deepEqual(sent, [[1]]);
    assert.equal(await settle(result), 10);
  });

  it("sends items that arrive during a batch together", async () => {
    const { sent, submit, settle, turn } = createRecorder();
    const first = submit({ user: "a", id: 1 });
    await turn();
    const results = await settle(Promise.all([first, ...of("a", 2, 3, 4).map(submit)]));
    assert.deepEqual(
      [sent, results],
      [
        [[1], [2, 3, 4]],
        [10, 20, 30, 40],
      ],
    );
  });

  it("collects the items of a turn after a batch of several items", async () => {
    const { sent, submit, settle } = createRecorder();
    await settle(Promise.all(of("a", 1, 2).map(submit)));
    const first = submit({ user: "a", id: 3 });
    await Promise.resolve();
    await settle(Promise.all([first, submit({ user: "a", id: 4 })]));
    assert.deepEqual(sent, [
      [1, 2],
      [3, 4],
    ]);
  });

  it("starts no batch in a lane while another one is running there", async () => {
    const { sent, submit, settle, turn } = createRecorder();
    const first = submit({ user: "a", id: 1 });
    await turn();
    const second = submit({ user: "a", id: 2 });
    await turn();
    assert.deepEqual(sent, [[1]]);
    await settle(Promise.all([first, second]));
    assert.deepEqual(sent, [[1], [2]]);
  });

  it("holds at most its maximum, in the order of arrival", async () => {
    const { sent, submit, settle } = createRecorder({ maxItems: 2 });
    await settle(Promise.all(of("a", 1, 2, 3, 4, 5).map(submit)));
    assert.deepEqual(sent, [[1, 2], [3, 4], [5]]);
  });

  it("leaves a second item with the same key to the next batch, in order", async () => {
    const { sent, submit, settle } = createRecorder();
    await settle(Promise.all(of("a", 1, 1, 2, 1).map(submit)));
    assert.deepEqual(sent, [[1, 2], [1], [1]]);
  });

  it("does not delay the items of another lane", async () => {
    const { sent, submit, settle, turn } = createRecorder();
    const all = ["a", "b"].map((user, id) => submit({ user, id }));
    await turn();
    assert.deepEqual(sent.flat().toSorted(), [0, 1]);
    await settle(Promise.all(all));
  });

  it("sends the items of a failed batch one by one, so that a bad item fails alone", async () => {
    const { sent, submit, settle } = createRecorder({
      fault: (ids) => (ids.includes(2) ? new Error("bad") : null),
    });
    const results = await settle(Promise.allSettled(of("a", 1, 2, 3).map(submit)));
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    assert.deepEqual(sent, [[1, 2, 3], [1], [2], [3]]);
  });

  it("repeats nothing in an outage, because the batch may have arrived", async () => {
    const { sent, submit, settle } = createRecorder({
      fault: () => new ServiceUnavailableError("away"),
    });
    const results = await settle(Promise.allSettled(of("a", 1, 2, 3).map(submit)));
    assert.deepEqual(
      [sent, results.map(({ status }) => status)],
      [[[1, 2, 3]], ["rejected", "rejected", "rejected"]],
    );
  });

  it("sends the items of a batch one by one that was undone because it took too long", async () => {
    const { sent, submit, settle } = createRecorder({
      fault: (ids) => (ids.length > 1 ? new ServiceUnavailableError("It took too long.") : null),
      tookTooLong: (error) => error instanceof Error && error.message === "It took too long.",
    });
    const results = await settle(Promise.all(of("a", 1, 2).map(submit)));
    assert.deepEqual(
      [sent, results],
      [
        [[1, 2], [1], [2]],
        [10, 20],
      ],
    );
  });

  it("takes turns with another, and takes in its turn what has arrived by then", async () => {
    const turns = createSlots(1);
    const [one, other] = [createRecorder({ turns }), createRecorder({ turns })];
    const first = one.submit({ user: "a", id: 1 });
    await one.turn();
    const waiting = [other.submit({ user: "a", id: 2 })];
    await one.turn();
    waiting.push(other.submit({ user: "a", id: 3 }));
    assert.deepEqual([one.sent, other.sent], [[[1]], []]);
    await one.settle(first);
    assert.deepEqual(await other.settle(Promise.all(waiting)), [20, 30]);
    assert.deepEqual(other.sent, [[2, 3]]);
  });

  it("gives its turn back after a failure", async () => {
    const turns = createSlots(1);
    const { submit, settle } = createRecorder({ turns, fault: () => new Error("bad") });
    await assert.rejects(settle(submit({ user: "a", id: 1 })), /bad/);
    const other = createRecorder({ turns });
    assert.equal(await other.settle(other.submit({ user: "a", id: 2 })), 20);
  });

  it("refuses an item after two seconds in which it was not its turn", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const clock = context.mock.method(performance, "now", () => 0);
    const turns = createSlots(1);
    await turns.take();
    const { sent, submit, turn } = createRecorder({ turns });
    const refused = refusalOf(submit({ user: "a", id: 1 }));
    await turn();
    clock.mock.mockImplementation(() => 2000);
    context.mock.timers.tick(2000);
    assert.deepEqual(await refused, OVERLOADED);
    turns.free();
    await turn();
    assert.deepEqual(sent, []);
  });

  it("refuses an item at once when five full batches wait in its lane", async () => {
    const { sent, submit, settle, turn } = createRecorder({ maxItems: 2 });
    const refusals: Refusal[] = [];
    onRefusal((refusal) => refusals.push(refusal));
    const accepted = [submit({ user: "a", id: 0 })];
    await turn();
    accepted.push(...Array.from({ length: 10 }, (_, i) => submit({ user: "a", id: i + 1 })));
    assert.deepEqual(await refusalOf(submit({ user: "a", id: 11 })), OVERLOADED);
    accepted.push(submit({ user: "b", id: 12 }));
    await settle(Promise.all(accepted));
    assert.deepEqual(
      [refusals, sent.flat().includes(11), sent.flat().includes(12)],
      [[{ what: "batch", why: "full" }], false, true],
    );
  });

  it("refuses an item after two seconds and does not send it later", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const clock = context.mock.method(performance, "now", () => 0);
    const at = (ms: number) => clock.mock.mockImplementation(() => ms);
    const { sent, submit, settle, turn } = createRecorder();
    const first = submit({ user: "a", id: 1 });
    await turn();
    const second = refusalOf(submit({ user: "a", id: 2 }));
    at(1500);
    const third = refusalOf(submit({ user: "a", id: 3 }));
    at(2000);
    context.mock.timers.tick(2000);
    assert.deepEqual(await second, OVERLOADED);
    at(3500);
    context.mock.timers.tick(1500);
    assert.deepEqual(await third, OVERLOADED);
    assert.deepEqual([await settle(first), sent], [10, [[1]]]);
  });

  it("does not send an item whose caller gave up while it waited", async () => {
    const { sent, submit, settle, turn } = createRecorder();
    const first = submit({ user: "a", id: 1 });
    await turn();
    let second: Promise<number> | null = null;
    assert.equal(
      await withDeadline(
        () => (second = submit({ user: "a", id: 2 })),
        5,
        () => -1,
      ),
      -1,
    );
    const third = submit({ user: "a", id: 3 });
    await settle(Promise.allSettled([first, second, third]));
    assert.deepEqual(
      [await refusalOf(second ?? first), sent],
      [
        { code: "SERVICE_UNAVAILABLE", message: "The deadline of the operation has passed." },
        [[1], [3]],
      ],
    );
  });

  it("does not resend an item whose caller gave up before its batch failed", async () => {
    const { sent, submit, settle, turn } = createRecorder({
      fault: (ids) => (ids.length > 1 ? new Error("bad") : null),
    });
    const first = submit({ user: "a", id: 1 });
    await turn();
    const second = submit({ user: "a", id: 2 });
    const third = withDeadline(
      () => submit({ user: "a", id: 3 }),
      20,
      () => -1,
    );
    await settle(first);
    assert.equal(await third, -1);
    await settle(second);
    assert.deepEqual(sent, [[1], [2, 3], [2]]);
  });

  it("continues after a failure", async () => {
    const { submit, settle } = createRecorder({
      fault: (ids) => (ids.includes(1) ? new Error("bad") : null),
    });
    await assert.rejects(settle(submit({ user: "a", id: 1 })), /bad/);
    assert.equal(await settle(submit({ user: "a", id: 2 })), 20);
  });
});
