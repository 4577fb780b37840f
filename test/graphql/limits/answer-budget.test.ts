import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GraphQLError } from "graphql";
import { AnswerBudget } from "../../../src/graphql/limits/answer-budget.js";
import { LIMITS } from "../../../src/graphql/limits/limits.js";

/** Returns the limit that `take` exceeds, or null. */
function limitOf(take: () => void): unknown {
  try {
    take();
    return null;
  } catch (error) {
    assert.ok(error instanceof GraphQLError);
    assert.equal(error.extensions["code"], "GRAPHQL_VALIDATION_FAILED");
    return error.extensions["limit"];
  }
}

const MB = 1024 * 1024;

describe("the budget of an answer", () => {
  it("allows 50,000 rows that are read and 50,000 list entries", () => {
    for (const take of [
      (budget: AnswerBudget, count: number) => budget.takeRead(count, 0),
      (budget: AnswerBudget, count: number) => budget.takeNodes(count),
    ]) {
      const budget = new AnswerBudget();
      assert.equal(
        limitOf(() => take(budget, LIMITS.answerNodes - 1)),
        null,
      );
      assert.equal(
        limitOf(() => take(budget, 1)),
        null,
      );
      assert.equal(budget.isExceeded, false);
      assert.equal(
        limitOf(() => take(budget, 1)),
        "answerNodes",
      );
      assert.equal(budget.isExceeded, true);
    }
  });

  it("allows 16 MB of rows and 16 MB of JSON values", () => {
    const read = new AnswerBudget();
    assert.equal(
      limitOf(() => read.takeRead(1, 16 * MB)),
      null,
    );
    assert.equal(
      limitOf(() => read.takeRead(1, 1)),
      "answerBytes",
    );
    const values = new AnswerBudget();
    const value = { text: "x".repeat(MB - '{"text":""}'.length) };
    for (let i = 0; i < 16; i++)
      assert.equal(
        limitOf(() => values.takeValue(value)),
        null,
        `megabyte ${i + 1}`,
      );
    assert.equal(
      limitOf(() => values.takeValue("x")),
      "answerBytes",
    );
  });

  it("returns the remaining rows and bytes, and refuses everything once it is exceeded", () => {
    const budget = new AnswerBudget();
    budget.takeRead(10, 100);
    assert.deepEqual(
      [budget.rowsLeft, budget.bytesLeft],
      [LIMITS.answerNodes - 10, LIMITS.answerBytes - 100],
    );
    assert.equal(
      limitOf(() => budget.takeNodes(LIMITS.answerNodes + 1)),
      "answerNodes",
    );
    assert.deepEqual([budget.rowsLeft, budget.bytesLeft], [0, 0]);
    assert.equal(
      limitOf(() => budget.takeNodes(0)),
      "answerNodes",
    );
    assert.equal(
      limitOf(() => budget.takeValue(null)),
      "answerNodes",
    );
  });

  it("starts a read when the previous one has ended, also with an error", async () => {
    const budget = new AnswerBudget();
    const order: string[] = [];
    const first = budget.inTurn(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push("first");
      throw new Error("away");
    });
    const second = budget.inTurn(async () => void order.push("second"));
    await assert.rejects(first, { message: "away" });
    await second;
    assert.deepEqual(order, ["first", "second"]);
  });
});
