import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { getOperationAST } from "graphql";
import * as operations from "../../../src/console/operations.js";
import { createDocumentChecker } from "../../../src/graphql/document-checker.js";
import type { DocumentChecker } from "../../../src/graphql/document-checker.js";
import { createVariablesChecker } from "../../../src/graphql/limits/variables-checker.js";
import type { VariablesChecker } from "../../../src/graphql/limits/variables-checker.js";
import { createSchema } from "../../../src/graphql/schema.js";

/** As much as the page may ever ask for. */
const MOST = { first: 100, inputs: Array.from({ length: 100 }, () => ({ job: "echo" })), input: { job: "echo" }, id: "1" };
const DOCUMENTS = Object.entries(operations).map(([name, operation]) => [name, typeof operation === "string" ? operation : operation(20)] as const);

describe("the limits", () => {
  let checker: DocumentChecker;
  let exceeds: VariablesChecker;
  before(async () => {
    const schema = await createSchema();
    checker = createDocumentChecker(schema, { introspection: false, production: true });
    exceeds = createVariablesChecker(schema);
  });

  for (const [name, text] of DOCUMENTS) {
    it(`leave room for the page's ${name}`, () => {
      const document = checker.check(text);
      if (!("kind" in document)) assert.fail(document.map(({ message }) => message).join("\n"));
      const operation = getOperationAST(document);
      assert.ok(operation);
      assert.equal(exceeds(document, operation, { ...MOST, ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`i${i}`, "1"])) })?.message, undefined);
    });
  }
});
