import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { parse, type OperationDefinitionNode } from "graphql";
import { createSchema } from "../../../src/graphql/schema.js";
import { createTypedJobs } from "../../../src/graphql/typed-jobs/typed-jobs.js";
import { catalogue } from "../../../src/tasks/catalogue.js";
import {
  createVariablesChecker,
  type VariablesChecker,
} from "../../../src/graphql/limits/variables-checker.js";

/** All fields of a row that a page can show. */
const ROW =
  "id status version progress progressMessage attempts priority runAt createdAt " +
  "startedAt finishedAt expiresAt queuePosition estimatedStartAt parameters result error " +
  "{ code message } job { id name title } photos { id filename url previewUrl width " +
  "height } outputs { name url mimeType byteSize width height }";
const PAGE = (first: string) =>
  `{ queuedJobs(first: ${first}) { edges { cursor node { ${ROW} } } pageInfo { ` +
  "hasNextPage endCursor } totalCount eventCursor } }";
/** Twenty fields of each row, which GraphQL merges into one. */
const IDS = "id ".repeat(20);
const USERS = (first: string, within: string) =>
  `{ users(first: ${first}) { nodes { queuedJobs(first: ${within}) { nodes { ${IDS} } } } } }`;
/** Cost of a list in each row of another list. */
const LIST = 25;

describe("the limits that depend on variables", () => {
  let check: VariablesChecker;
  before(async () => {
    check = createVariablesChecker(await createSchema(createTypedJobs(catalogue.values())));
  });

  function excess(
    text: string,
    variables: Record<string, unknown> = {},
  ): [unknown, unknown, string] | null {
    const document = parse(text);
    const error = check(document, document.definitions[0] as OperationDefinitionNode, variables);
    return error && [error.extensions["code"], error.extensions["limit"], error.message];
  }
  const tooCostly = (cost: number) => [
    "GRAPHQL_VALIDATION_FAILED",
    "cost",
    `The operation can return up to ${cost} fields; the limit is 200000: request fewer rows ` +
      "(first or last) or fewer nested fields.",
  ];

  it("allows a page of a hundred rows with all fields", () => {
    assert.equal(excess(PAGE("50")), null);
    assert.equal(excess(PAGE("100")), null);
  });

  it("counts a field once for each row of every list around it", () => {
    // users + nodes + 100 x (queuedJobs + nodes) + 100 x 98 or 99 x 20 ids
    assert.equal(excess(USERS("100", "98")), null);
    assert.deepEqual(excess(USERS("100", "99")), tooCostly(2 + 100 * (LIST + 1) + 198_000));
    const byEdges = USERS("100", "100")
      .replaceAll("nodes", "edges")
      .replace(IDS, `node { ${IDS} }`)
      .replace("edges { queuedJobs", "edges { node { queuedJobs")
      .concat(" }");
    assert.deepEqual(excess(byEdges), tooCostly(2 + 100 * (1 + LIST + 1) + 10_000 + 200_000));
  });

  it("takes the number of rows from a variable, its default, or the list's default", () => {
    const text = USERS("$n", "$m");
    assert.equal(excess(`query ($n: Int, $m: Int) ${text}`, { n: 100, m: 20 }), null);
    assert.deepEqual(
      excess(`query ($n: Int, $m: Int) ${text}`, { n: 100, m: 100 }),
      tooCostly(202_602),
    );
    assert.deepEqual(excess(`query ($n: Int = 100, $m: Int = 100) ${text}`), tooCostly(202_602));
    assert.equal(excess(`query ($n: Int = 100, $m: Int = 100) ${text}`, { m: 20 }), null);
    // 20 x 20 rows of 500 fields
    assert.deepEqual(
      excess(`{ users { nodes { queuedJobs { nodes { ${"id ".repeat(500)} } } } } }`),
      tooCostly(2 + 20 * (LIST + 1) + 400 * 500),
    );
    assert.deepEqual(
      excess(`{ jobs { nodes { ${"id ".repeat(4000)} } } }`),
      tooCostly(2 + 50 * 4000),
    );
  });

  it("counts the rows of both directions", () => {
    const backward = USERS("$n", "$n").replaceAll("first", "last");
    assert.deepEqual(excess(`query ($n: Int) ${backward}`, { n: 100 }), tooCostly(202_602));
    assert.equal(excess(`query ($n: Int) ${backward}`, { n: 20 }), null);
    const withCursors = USERS("1", "1").replaceAll("first: 1", 'before: "x"');
    assert.deepEqual(
      excess(withCursors.replace(IDS, "id ".repeat(500))),
      tooCostly(2 + 20 * (LIST + 1) + 400 * 500),
    );
  });

  it("counts an invalid number of rows as the maximum or minimum", () => {
    const text = `query ($n: Int) ${USERS("$n", "100")}`;
    assert.deepEqual(excess(text, { n: 2 ** 31 - 1 }), tooCostly(202_602));
    assert.equal(excess(text, { n: null }), null);
    assert.equal(excess(text, { n: -5 }), null);
    assert.equal(excess(text, { n: 0 }), null);
    // The execution reports the wrong type.
    assert.equal(excess(text, { n: "many" }), null);
  });

  it("counts a list without arguments with its maximum, and inputs with their number", () => {
    const within = (list: string, fields: number) =>
      `{ queuedJobs(first: 100) { nodes { ${list} { ${"__typename ".repeat(fields)} } } } }`;
    for (const [list, items] of [
      ["history", 100],
      ["photos", 100],
      ["outputs", 12],
    ] as const) {
      const max = Math.floor((200_000 - 102) / 100 / items);
      assert.equal(excess(within(list, max)), null, list);
      assert.deepEqual(
        excess(within(list, max + 1)),
        tooCostly(2 + 100 + 100 * items * (max + 1)),
        list,
      );
    }
    const submit = (fields: number) =>
      "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { " +
      `${"id ".repeat(fields)} } }`;
    const inputs = (count: number) => ({
      inputs: Array.from({ length: count }, () => ({ job: "echo" })),
    });
    assert.equal(excess(submit(1999), inputs(100)), null);
    assert.equal(excess(submit(2500), inputs(10)), null);
    assert.deepEqual(excess(submit(2000), inputs(100)), tooCostly(200_001));
    // Each of the ten results has its own photos.
    assert.deepEqual(
      excess(
        "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { photos { " +
          "id ".repeat(201) +
          "} } }",
        inputs(10),
      ),
      tooCostly(1 + 10 + 10 * 100 * 201),
    );
  });

  it("counts long or expensive fields and long names as more than one field", () => {
    const page = (fields: string) =>
      `{ queuedJobs(first: 100) { nodes { photos { ${fields} } } } }`;
    assert.equal(excess(page("url ".repeat(6))), null);
    assert.deepEqual(excess(page("url ".repeat(7))), tooCostly(2 + 100 + 10_000 * 3 * 7));
    assert.deepEqual(
      excess(`{ ${"a: queuedJobs { totalCount } ".repeat(200)} }`),
      tooCostly(200 + 200 * 1000),
    );
    const named = (length: number) =>
      `{ queuedJobs(first: 100) { nodes { history { ${"a".repeat(length)}: type } } } }`;
    assert.equal(excess(named(1899)), null);
    assert.deepEqual(excess(named(1900)), tooCostly(102 + 10_000 * 20));
  });

  it("counts fields in fragments and interfaces", () => {
    const within = `fragment F on QueuedJobConnection { nodes { ${IDS} } }`;
    assert.deepEqual(
      excess(`{ users(first: 100) { nodes { queuedJobs(first: 100) { ...F } } } } ${within}`),
      tooCostly(202_602),
    );
    assert.deepEqual(
      excess(
        `{ node(id: "") { ... on Photo { queuedJobs(first: 100) { nodes { photos { ` +
          `queuedJobs(first: 1) { ...F } } } } } } } ${within}`,
      ),
      tooCostly(1 + LIST + 1 + 100 + 10_000 * (LIST + 1 + 20)),
    );
  });

  it("allows variables of 32 levels, and refuses one more", () => {
    const variables = (levels: number) => ({
      a: JSON.parse(
        `${'{"a":['.repeat(levels / 2)}${levels % 2 ? "{}" : "1"}${"]}".repeat(levels / 2)}`,
      ) as unknown,
    });
    assert.equal(excess("{ me { id } }", variables(31)), null);
    for (const levels of [32, 10_000])
      assert.deepEqual(excess("{ me { id } }", variables(levels)), [
        "GRAPHQL_VALIDATION_FAILED",
        "valueDepth",
        "The variables are nested deeper than 32 levels.",
      ]);
  });
});
