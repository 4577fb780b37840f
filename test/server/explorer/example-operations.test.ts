import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse, validate } from "graphql";
import { createSchema } from "../../../src/graphql/schema.js";
import { EXAMPLE_OPERATIONS } from "../../../src/server/explorer/example-operations.js";

describe("the example operations", () => {
  it("fit the schema, each alone and all in one document", async () => {
    const schema = await createSchema();
    for (const { title, document } of EXAMPLE_OPERATIONS)
      assert.deepEqual(validate(schema, parse(document)), [], title);
    assert.deepEqual(
      validate(schema, parse(EXAMPLE_OPERATIONS.map(({ document }) => document).join("\n"))),
      [],
    );
  });

  it("end with the subscription, which the explorer shows first", () => {
    assert.match(EXAMPLE_OPERATIONS.at(-1)?.document ?? "", /^subscription /m);
  });
});
