import assert from "node:assert/strict";
import { it } from "node:test";
import { buildSchema, parse } from "graphql";
import { createOperationCompiler } from "../../src/server/operation-compiler.js";
import { eventually } from "../support/eventually.js";

const SCHEMA = buildSchema("type Query { a: Int } type Mutation { b: Int } type Subscription { c: Int }");

for (const [what, text, name] of [
  ["a query", "{ a }", "a"],
  ["a mutation of one field", "mutation { b }", "b"],
  ["a subscription", "subscription { c }", "c"],
  ["one of several in its document", "query Q { a } subscription S { c }", "c"],
] as const) {
  it(`${what} that comes often is compiled, by a compiler that is loaded when it is first needed`, async () => {
    const compiled = createOperationCompiler(SCHEMA);
    const document = parse(text);
    const operationName = text.includes("S {") ? "S" : null;
    for (let uses = 1; uses < 10; uses++) assert.equal(compiled(document, operationName), null);
    const run = await eventually("it is compiled", () => compiled(document, operationName));
    assert.deepEqual({ ...(await run({ [name]: 7 }, {}, {})).data }, { [name]: 7 });
  });
}

it("a mutation of several fields never is, nor what a document does not hold", () => {
  const compiled = createOperationCompiler(SCHEMA);
  const [several, none] = [parse("mutation { b c: b }"), parse("query Q { a }")];
  for (let uses = 1; uses < 20; uses++) assert.deepEqual([compiled(several, null), compiled(none, "P")], [null, null]);
});
