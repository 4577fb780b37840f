import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServiceUnavailableError } from "../../src/domain/errors.js";
import { explainRefusal, RefusedQueryError } from "../../src/db/refused-query-error.js";

const fault = (code: string, message = "internal words", more: object = {}) =>
  Object.assign(new Error(message), { code, ...more });

describe("the explanation of a refused query", () => {
  for (const [code, sentence, later] of [
    ["57014", "It took longer than 5 seconds and was stopped.", false],
    ["53300", "Other queries are running already; try again in a moment.", true],
    [
      "28P01",
      "The role that only reads is not in step with DATABASE_URL: run npm run migrate.",
      false,
    ],
    ["CONNECTION_CLOSED", "Its connection was ended.", true],
  ] as const) {
    it(`of ${code} is a sentence of ours`, () => {
      const told = explainRefusal(fault(code));
      assert.ok(told instanceof RefusedQueryError);
      assert.deepEqual([told.message, told.later], [sentence, later]);
    });
  }

  it("is PostgreSQL's own, with its hint, for what is wrong with the query", () => {
    const told = explainRefusal(
      fault("42703", 'column "x" does not exist', { hint: "Perhaps you meant y." }),
    );
    assert.ok(told instanceof RefusedQueryError);
    assert.equal(told.message, 'PostgreSQL says: column "x" does not exist. Perhaps you meant y.');
  });

  it("is that the database is away when it is, without its address", () => {
    for (const code of ["ECONNREFUSED", "CONNECT_TIMEOUT", "ENOTFOUND", "EPIPE"]) {
      const told = explainRefusal(fault(code, `connect ${code} 10.0.0.1:5432`));
      assert.ok(told instanceof ServiceUnavailableError);
      assert.equal(told.message, "The database is away; try again in a moment.");
    }
  });

  it("leaves a bug as it is", () => {
    const bug = new TypeError("x is not a function");
    assert.equal(explainRefusal(bug), bug);
  });
});
