import assert from "node:assert/strict";
import { it } from "node:test";
import { buildSchema, parse } from "graphql";
import {
  createOperationCompiler,
  type OperationCompiler,
} from "../../../src/server/graphql/operation-compiler.js";
import { eventually } from "../../support/runner/eventually.js";

const SCHEMA = buildSchema(
  "type Query { a: Int } type Mutation { b: Int } type Subscription { c: Int }",
);

/** The compiler is loaded for the first frequent operation, so nothing is compiled before. */
async function untilLoaded(compiled: OperationCompiler, text: string): Promise<void> {
  const document = parse(text);
  await eventually("the compiler is loaded", () => compiled(document, null) !== null);
}

for (const [what, text, name] of [
  ["a query", "{ a }", "a"],
  ["a mutation of one field", "mutation { b }", "b"],
  ["a subscription", "subscription { c }", "c"],
  ["one of several operations in a document", "query Q { a } subscription S { c }", "c"],
] as const) {
  it(`${what} is compiled after ten executions`, async () => {
    const compiled = createOperationCompiler(SCHEMA);
    const document = parse(text);
    const operationName = text.includes("S {") ? "S" : null;
    for (let uses = 1; uses < 10; uses++) assert.equal(compiled(document, operationName), null);
    const run = await eventually("it is compiled", () => compiled(document, operationName));
    assert.deepEqual({ ...(await run({ [name]: 7 }, {}, {})).data }, { [name]: 7 });
  });
}

it("a mutation with several fields is never compiled, nor an unknown operation name", async () => {
  const compiled = createOperationCompiler(SCHEMA);
  await untilLoaded(compiled, "{ a }");
  const [several, none] = [parse("mutation { b c: b }"), parse("query Q { a }")];
  for (let uses = 1; uses < 20; uses++)
    assert.deepEqual([compiled(several, null), compiled(none, "P")], [null, null]);
});

it("an operation with a variable inside a literal is never compiled", async () => {
  const schema = buildSchema("scalar JSON type Query { a(value: JSON, list: [Int]): JSON }");
  const compiled = createOperationCompiler(schema);
  await untilLoaded(compiled, "{ a }");
  const inObject = parse("query ($v: JSON) { a(value: { deep: [{ v: $v }] }) }");
  const inList = parse("query ($v: Int) { a(list: [1, $v]) }");
  for (let uses = 1; uses < 20; uses++) {
    assert.deepEqual([compiled(inObject, null), compiled(inList, null)], [null, null]);
  }
});
