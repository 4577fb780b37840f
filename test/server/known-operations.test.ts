import assert from "node:assert/strict";
import { it } from "node:test";
import { buildSchema, getOperationAST, parse } from "graphql";
import type { OperationDefinitionNode } from "graphql";
import { createKnownOperations } from "../../src/server/known-operations.js";
import { eventually } from "../support/eventually.js";

it("a query that comes often is compiled, by a compiler that is loaded when it is first needed; a mutation never is", async () => {
  const known = createKnownOperations(buildSchema("type Query { a: Int } type Mutation { b: Int }"));
  const find = (query: string) => {
    const document = parse(query);
    known.add({ query }, { document, operation: getOperationAST(document) as OperationDefinitionNode });
    return known.find({ query })!;
  };
  const often = find("{ a }");
  for (let uses = 1; uses < 10; uses++) assert.equal(known.compiled(often), null);
  const compiled = await eventually("it is compiled", () => known.compiled(often));
  assert.deepEqual({ ...(await compiled({ a: 7 }, {}, {})).data }, { a: 7 });
  const mutation = find("mutation { b }");
  for (let uses = 1; uses < 20; uses++) assert.equal(known.compiled(mutation), null);
});
