import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { getIntrospectionQuery, type GraphQLError, type GraphQLSchema } from "graphql";
import {
  createDocumentChecker,
  type DocumentChecker,
} from "../../../../src/graphql/document-checker.js";
import { createSchema } from "../../../../src/graphql/schema.js";
import { createTypedJobs } from "../../../../src/graphql/typed-jobs/typed-jobs.js";
import { catalogue } from "../../../../src/tasks/catalogue.js";

const times = (count: number, text: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i)).join(" ");
/** Creates `levels` nested fields. */
const nested = (levels: number) => {
  const names = [
    "queuedJobs",
    ...Array.from({ length: levels - 2 }, (_, i) => ["nodes", "user", "queuedJobs"][i % 3]),
  ];
  return `{ ${names.join(" { ")} { __typename }${" }".repeat(names.length)}`;
};
const list = (levels: number) => `${"[".repeat(levels)}1${"]".repeat(levels)}`;
const submit = (message: string) =>
  `mutation { enqueueJob(input: { job: "echo", parameters: { message: ${message} } }) { id } }`;
/** Creates fragments that expand to 2^`levels` fields. */
const bomb = (levels: number) =>
  "{ me { ...F0 } } " +
  `${times(levels, (i) => `fragment F${i} on User { ...F${i + 1} ...F${i + 1} }`)} ` +
  `fragment F${levels} on User { id }`;

describe("the limit rule", () => {
  let schema: GraphQLSchema;
  let checker: DocumentChecker;
  before(async () => {
    schema = await createSchema(createTypedJobs(catalogue.values()));
    checker = createDocumentChecker(schema, { introspection: true, production: true });
  });

  const faults = (text: string) => {
    const checked = checker.check(text);
    return "kind" in checked
      ? []
      : checked.map(({ message, extensions }: GraphQLError) => [
          extensions["code"],
          extensions["limit"],
          message,
        ]);
  };

  const BORDERS: [string, (count: number) => string, number, string, string][] = [
    ["levels of fields", nested, 12, "depth", "The operation is 13 fields deep; the limit is 12."],
    [
      "levels of fields in fragments",
      (n) =>
        "{ queuedJobs { ...F } } fragment F on QueuedJobConnection " +
        `${nested(n).replace("{ queuedJobs ", "").slice(0, -2)}`,
      12,
      "depth",
      "The operation is 13 fields deep; the limit is 12.",
    ],
    [
      "level of history",
      (n) =>
        `{ queuedJob(id: "") ${"{ history { queuedJob ".repeat(n)} { id } ${"} } ".repeat(n)} }`,
      1,
      "history",
      "history cannot be selected below another history.",
    ],
    [
      "level of history in fragments",
      (n) =>
        `{ queuedJobs { nodes { ...J ${n === 1 ? "" : "history { queuedJob { ...J } }"} ` +
        "} } } fragment J on QueuedJob { history { type } }",
      1,
      "history",
      "history cannot be selected below another history.",
    ],
    [
      "aliases",
      (n) => `{ me { ${times(n, (i) => `a${i}: id`)} } }`,
      30,
      "aliases",
      "The operation has 31 aliases; the limit is 30.",
    ],
    [
      "aliases in a fragment that is spread twice",
      (n) =>
        `{ me { ...F } service { ${n % 2 ? "a: version" : "version"} } user(id: "") { ` +
        `...F } } fragment F on User { ${times(n >> 1, (i) => `a${i}: id`)} }`,
      30,
      "aliases",
      "The operation has 31 aliases; the limit is 30.",
    ],
    [
      "aliases in introspection",
      (n) => `{ __schema { types { ${times(n, (i) => `a${i}: name`)} } } }`,
      30,
      "aliases",
      "The operation has 31 aliases; the limit is 30.",
    ],
    [
      "root fields",
      (n) => `{ ${times(n, () => "me { id }")} }`,
      20,
      "rootFields",
      "The query has 21 root fields; the limit is 20.",
    ],
    [
      "root fields of a mutation",
      (n) => `mutation { ${times(n, (i) => `a${i}: deleteMe`)} }`,
      10,
      "rootFields",
      "The mutation has 11 root fields; the limit is 10.",
    ],
    [
      "root fields in a fragment",
      (n) => `mutation { ...F } fragment F on Mutation { ${times(n, (i) => `a${i}: deleteMe`)} }`,
      10,
      "rootFields",
      "The mutation has 11 root fields; the limit is 10.",
    ],
    [
      "directives",
      (n) => `{ me { ${times(n, () => "id @skip(if: false)")} } }`,
      20,
      "directives",
      "The document has more than 20 directives.",
    ],
    [
      "levels of values",
      (n) => submit(list(n - 2)),
      32,
      "valueDepth",
      "A value is nested deeper than 32 levels.",
    ],
  ];
  for (const [what, text, max, limit, message] of BORDERS) {
    it(`allows ${max} ${what}, and refuses one more with ${limit}`, () => {
      assert.deepEqual(faults(text(max)), []);
      assert.deepEqual(faults(text(max + 1)), [["GRAPHQL_VALIDATION_FAILED", limit, message]]);
    });
  }

  it("refuses fragments that expand to too many fields, without expanding all", () => {
    assert.deepEqual(faults(bomb(10)), []);
    for (const levels of [16, 60]) {
      const startedAt = performance.now();
      assert.deepEqual(faults(bomb(levels)), [
        [
          "GRAPHQL_VALIDATION_FAILED",
          "selections",
          "The operation has more than 20000 fields once its fragments are expanded.",
        ],
      ]);
      const ms = performance.now() - startedAt;
      assert.ok(ms < 1000, `it took ${ms} ms`);
    }
  });

  it("refuses cycles of fragments", () => {
    assert.deepEqual(
      faults("{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }"),
      [
        [
          "GRAPHQL_VALIDATION_FAILED",
          undefined,
          'Cannot spread fragment "A" within itself via "B".',
        ],
      ],
    );
    assert.match(
      String(faults("{ me { ...A } } fragment A on User { ...A }")),
      /Cannot spread fragment "A" within itself/,
    );
  });

  it("allows the introspection query of tools when introspection is enabled", () => {
    assert.deepEqual(
      faults(
        getIntrospectionQuery({
          descriptions: true,
          specifiedByUrl: true,
          directiveIsRepeatable: true,
          inputValueDeprecation: true,
        }),
      ),
      [],
    );
  });
});
