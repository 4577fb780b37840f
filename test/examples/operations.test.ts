import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { buildSchema, parse, validate } from "graphql";

const SOURCES = ["test/schema.graphql", "examples/operations.graphql"];

describe("the operations of the examples", () => {
  it("are valid for the schema", () => {
    const [schema = "", operations = ""] = SOURCES.map((path) => readFileSync(path, "utf8"));
    assert.deepEqual(validate(buildSchema(schema), parse(operations)), []);
  });

  it("have types generated from this schema and these operations", () => {
    const hash = createHash("sha256");
    for (const path of SOURCES) hash.update(readFileSync(path));
    const stamp = `// Generated, sources ${hash.digest("hex")}.`;
    for (const path of ["examples/operations.ts", "examples/react/src/operations.ts"]) {
      assert.ok(
        readFileSync(path, "utf8").startsWith(stamp),
        `${path} was generated from another schema: cd examples/react && npm ci && npm run codegen`,
      );
    }
  });
});
