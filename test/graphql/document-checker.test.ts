import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { GraphQLError, parse, type GraphQLSchema } from "graphql";
import {
  MAX_KEPT_BYTES,
  createDocumentChecker,
  memoryOf,
} from "../../src/graphql/document-checker.js";
import { LIMITS } from "../../src/graphql/limits/limits.js";
import { createSchema } from "../../src/graphql/schema.js";
import { createTypedJobs } from "../../src/graphql/typed-jobs/typed-jobs.js";
import { catalogue } from "../../src/tasks/catalogue.js";

describe("the document checker", () => {
  let schema: GraphQLSchema;
  before(async () => {
    schema = await createSchema(createTypedJobs(catalogue.values()));
  });

  function faults(
    text: string,
    options = { introspection: false, production: true },
  ): [unknown, string][] {
    const checked = createDocumentChecker(schema, options).check(text);
    assert.ok(Array.isArray(checked), "the document was accepted");
    return checked.map((error: GraphQLError) => [error.extensions["code"], error.message]);
  }

  it("returns a valid document, parsed once for the same text", () => {
    const checker = createDocumentChecker(schema, { introspection: false, production: true });
    const document = checker.check("{ me { id } }");
    assert.ok("kind" in document);
    assert.equal(checker.check("{ me { id } }"), document);
  });

  it("returns syntax errors", () => {
    assert.deepEqual(faults("{ me { id }"), [
      ["GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."],
    ]);
    assert.deepEqual(faults(""), [["GRAPHQL_PARSE_FAILED", "Syntax Error: Unexpected <EOF>."]]);
  });

  it("returns at most five validation errors", () => {
    assert.deepEqual(faults("{ nothing }"), [
      ["GRAPHQL_VALIDATION_FAILED", 'Cannot query field "nothing" on type "Query".'],
    ]);
    const many = faults(`{ ${Array.from({ length: 50 }, (_, i) => `nothing${i}`).join(" ")} }`);
    assert.equal(many.length, 6);
    assert.deepEqual(many.at(-1), [
      "GRAPHQL_VALIDATION_FAILED",
      "Too many validation errors, error limit reached. Validation aborted.",
    ]);
  });

  it("suggests names only outside production", () => {
    assert.match(
      faults("{ mee { id } }", { introspection: false, production: false })[0]?.[1] ?? "",
      /^Cannot query field "mee" on type "Query"\. Did you mean "me"/,
    );
    assert.deepEqual(faults("{ mee { id } }"), [
      ["GRAPHQL_VALIDATION_FAILED", 'Cannot query field "mee" on type "Query".'],
    ]);
  });

  it("refuses introspection, except __typename, when it is disabled", () => {
    assert.equal(faults("{ __schema { types { name } } }")[0]?.[0], "GRAPHQL_VALIDATION_FAILED");
    assert.match(
      faults('{ __type(name: "User") { name } }')[0]?.[1] ?? "",
      /GraphQL introspection has been disabled/,
    );
    assert.ok(
      "kind" in
        createDocumentChecker(schema, { introspection: false, production: true }).check(
          "{ __typename me { __typename } }",
        ),
    );
    assert.ok(
      "kind" in
        createDocumentChecker(schema, { introspection: true, production: true }).check(
          "{ __schema { types { name } } }",
        ),
    );
  });

  it("stops at the token limit, and survives nesting that overflows the parser", () => {
    assert.deepEqual(faults(`{ ${"me { id } ".repeat(LIMITS.tokens)} }`), [
      [
        "GRAPHQL_PARSE_FAILED",
        `Syntax Error: Document contains more that ${LIMITS.tokens} tokens. Parsing aborted.`,
      ],
    ]);
    assert.equal(faults("[".repeat(200_000))[0]?.[0], "GRAPHQL_PARSE_FAILED");
    assert.equal(faults(`{ me ${"{ queuedJobs ".repeat(100_000)}`)[0]?.[0], "GRAPHQL_PARSE_FAILED");
  });

  it("evicts documents by their memory", () => {
    const checker = createDocumentChecker(schema, { introspection: false, production: true });
    const large = (i: number) =>
      `query Q${i} { queuedJobs(filter: { job: [${'"a" '.repeat(1950)}] }) { totalCount } }`;
    const small = checker.check("{ me { id } }");
    const first = checker.check(large(0));
    for (let i = 1; i < 40; i++) {
      checker.check(large(i));
      assert.equal(checker.check("{ me { id } }"), small);
    }
    const last = checker.check(large(39));
    assert.equal(checker.check(large(39)), last);
    assert.notEqual(checker.check(large(0)), first);
  });

  it("does not cache an invalid document", () => {
    const checker = createDocumentChecker(schema, { introspection: false, production: true });
    assert.notEqual(checker.check("{ nothing }"), checker.check("{ nothing }"));
    assert.ok((checker.check("{ nothing }") as GraphQLError[])[0] instanceof GraphQLError);
  });
});

describe("the memory of a document", () => {
  it("depends on its tokens, since a short text can have thousands", () => {
    const [few, many] = [
      memoryOf(parse("{ me { id } }")),
      memoryOf(parse(`{ me { ${"a ".repeat(1990)} } }`)),
    ];
    assert.ok(few < 6000, `${few} bytes`);
    assert.ok(many > MAX_KEPT_BYTES / 40 && many < MAX_KEPT_BYTES / 20, `${many} bytes`);
  });

  it("is at least that of its text, which can be one long comment", () => {
    assert.ok(memoryOf(parse(`{ me { id } } # ${"x".repeat(200_000)}`)) > 200_000);
  });

  it("is 1 for a document without its text", () => {
    assert.equal(memoryOf(parse("{ me { id } }", { noLocation: true })), 1);
  });
});
