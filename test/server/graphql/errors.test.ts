import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GraphQLError } from "graphql";
import { NotFoundError } from "../../../src/domain/errors.js";
import type { Logger } from "../../../src/runtime/logger.js";
import { createErrorReporter } from "../../../src/server/graphql/errors.js";

const BUG = new Error("secret");
const ERRORS = [
  new NotFoundError("There is no such Photo."),
  new GraphQLError("secret", { path: ["me", "id"], originalError: BUG }),
  new GraphQLError('Variable "$a" is wrong. Did you mean "SECRET"?'),
];

function create(production: boolean) {
  const counted: string[] = [];
  const logged: unknown[] = [];
  const log = () => ({ error: (...line: unknown[]) => logged.push(line) }) as unknown as Logger;
  return {
    ...createErrorReporter({ production, onError: (code) => counted.push(code) }),
    asks: log,
    counted,
    logged,
  };
}

describe("an error that leaves through GraphQL", () => {
  it("is masked and counted, and logged where nobody foresaw it, with its place", () => {
    const { tell, asks, counted, logged } = create(false);
    const told = tell(ERRORS, asks, { operationName: "Q" });
    assert.deepEqual(
      told.map(({ message }) => message),
      [
        "There is no such Photo.",
        "Internal server error",
        'Variable "$a" is wrong. Did you mean "SECRET"?',
      ],
    );
    assert.deepEqual(counted, ["NOT_FOUND", "INTERNAL_SERVER_ERROR", "BAD_USER_INPUT"]);
    assert.deepEqual(
      told.map(({ extensions }) => extensions?.["code"]),
      counted,
    );
    assert.deepEqual(logged, [
      [{ operationName: "Q", err: BUG, path: ["me", "id"] }, "an operation failed"],
    ]);
  });

  it("tells no suggestions in production", () => {
    const { tell, asks } = create(true);
    assert.equal(tell(ERRORS, asks)[2]?.message, 'Variable "$a" is wrong.');
  });

  it("is told in halves what is told as a whole", () => {
    const [whole, halves] = [create(true), create(true)];
    const told = whole.tell(ERRORS, whole.asks);
    halves.log(ERRORS, halves.asks);
    assert.deepEqual(ERRORS.map(halves.mask), told);
    assert.deepEqual([halves.counted, halves.logged], [whole.counted, whole.logged]);
  });
});
