import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServiceUnavailableError } from "../../src/domain/errors.js";
import { explainRefusal, RefusedQueryError } from "../../src/db/refused-query-error.js";

const fault = (code: string, message = "internal words", more: object = {}) =>
  Object.assign(new Error(message), { code, ...more });

describe("the explanation of a refused query", () => {
  for (const [code, sentence, later] of [
    ["57014", "The query took longer than 5 seconds and was stopped.", false],
    ["53300", "Other queries are running already; try again in a moment.", true],
    ["CONNECTION_CLOSED", "The query's connection was closed.", true],
  ] as const) {
    it(`of ${code} is one of our sentences`, () => {
      const explained = explainRefusal(fault(code));
      assert.ok(explained instanceof RefusedQueryError);
      assert.deepEqual([explained.message, explained.later], [sentence, later]);
    });
  }

  it("is PostgreSQL's message with its hint for a fault in the query", () => {
    const explained = explainRefusal(
      fault("42703", 'column "x" does not exist', { hint: "Perhaps you meant y." }),
    );
    assert.ok(explained instanceof RefusedQueryError);
    assert.equal(
      explained.message,
      'PostgreSQL says: column "x" does not exist. Perhaps you meant y.',
    );
  });

  it("is that the database is unavailable, without its address", () => {
    for (const code of ["ECONNREFUSED", "CONNECT_TIMEOUT", "ENOTFOUND", "EPIPE"]) {
      const explained = explainRefusal(fault(code, `connect ${code} 10.0.0.1:5432`));
      assert.ok(explained instanceof ServiceUnavailableError);
      assert.equal(explained.message, "The database is unavailable; try again in a moment.");
    }
  });

  it("leaves a bug unchanged", () => {
    const bug = new TypeError("x is not a function");
    assert.equal(explainRefusal(bug), bug);
  });
});
