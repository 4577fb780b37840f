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
    logger: log,
    counted,
    logged,
  };
}

describe("an error of a GraphQL operation", () => {
  it("is masked and counted, and logged with its place if it is unexpected", () => {
    const { report, logger, counted, logged } = create(false);
    const formatted = report(ERRORS, logger, { operationName: "Q" });
    assert.deepEqual(
      formatted.map(({ message }) => message),
      [
        "There is no such Photo.",
        "Internal server error",
        'Variable "$a" is wrong. Did you mean "SECRET"?',
      ],
    );
    assert.deepEqual(counted, ["NOT_FOUND", "INTERNAL_SERVER_ERROR", "BAD_USER_INPUT"]);
    assert.deepEqual(
      formatted.map(({ extensions }) => extensions?.["code"]),
      counted,
    );
    assert.deepEqual(logged, [
      [{ operationName: "Q", err: BUG, path: ["me", "id"] }, "an operation failed"],
    ]);
  });

  it("contains no suggestions in production", () => {
    const { report, logger } = create(true);
    assert.equal(report(ERRORS, logger)[2]?.message, 'Variable "$a" is wrong.');
  });

  it("is reported the same in two steps as in one", () => {
    const [whole, steps] = [create(true), create(true)];
    const formatted = whole.report(ERRORS, whole.logger);
    steps.log(ERRORS, steps.logger);
    assert.deepEqual(ERRORS.map(steps.mask), formatted);
    assert.deepEqual([steps.counted, steps.logged], [whole.counted, whole.logged]);
  });
});
