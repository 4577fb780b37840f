import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { getOperationAST, parse } from "graphql";
import {
  createDocumentStore,
  createOperationCache,
} from "../../../src/server/graphql/operation-cache.js";

/** A document of which at most 32 fit into a cache. */
const large = (i: number) => `query Q${i} { me { ${"id ".repeat(1990)} } }`;
const MANY = 40;

describe("cached operations", () => {
  it("are found by their text and name, and evicted by their memory", () => {
    const operations = createOperationCache();
    for (let i = 0; i < MANY; i++) {
      const document = parse(large(i));
      const operation = getOperationAST(document);
      assert.ok(operation);
      operations.add({ query: large(i) }, { document, operation });
    }
    assert.equal(operations.find({ query: large(0) }), undefined);
    assert.equal(operations.find({ query: large(MANY - 1), operationName: "Q" }), undefined);
    assert.equal(
      operations.find({ query: large(MANY - 1) })?.operation.name?.value,
      `Q${MANY - 1}`,
    );
  });

  it("have documents that are evicted by their memory from Apollo's store", async () => {
    const store = createDocumentStore();
    for (let i = 0; i < MANY; i++) await store.set(String(i), parse(large(i)));
    assert.deepEqual(
      [await store.get("0"), (await store.get(String(MANY - 1)))?.kind],
      [undefined, "Document"],
    );
    assert.equal(await store.delete(String(MANY - 1)), true);
    assert.equal(await store.get(String(MANY - 1)), undefined);
  });
});
