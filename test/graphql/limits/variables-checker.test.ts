import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { parse } from "graphql";
import type { OperationDefinitionNode } from "graphql";
import { createSchema } from "../../../src/graphql/schema.js";
import { createVariablesChecker } from "../../../src/graphql/limits/variables-checker.js";
import type { VariablesChecker } from "../../../src/graphql/limits/variables-checker.js";

/** As a page shows them: all there is of a row, and what is around it. */
const ROW = "id status version progress progressMessage attempts priority runAt createdAt startedAt finishedAt expiresAt queuePosition estimatedStartAt parameters result error { code message } job { id name title } photos { id filename url previewUrl width height } outputs { name url mimeType byteSize width height }";
const PAGE = (first: string) => `{ queuedJobs(first: ${first}) { edges { cursor node { ${ROW} } } pageInfo { hasNextPage endCursor } totalCount eventCursor } }`;
const USERS = (first: string, within: string) => `{ users(first: ${first}) { nodes { queuedJobs(first: ${within}) { nodes { id } } } } }`;

describe("the limits that depend on variables", () => {
  let check: VariablesChecker;
  before(async () => {
    check = createVariablesChecker(await createSchema());
  });

  function excess(text: string, variables: Record<string, unknown> = {}): [unknown, unknown, string] | null {
    const document = parse(text);
    const error = check(document, document.definitions[0] as OperationDefinitionNode, variables);
    return error && [error.extensions["code"], error.extensions["limit"], error.message];
  }
  const tooCostly = (cost: number) => ["GRAPHQL_VALIDATION_FAILED", "cost", `The operation asks for up to ${cost} fields; 10000 is the most: ask for fewer rows (first), or for less within each.`];

  it("takes a page of a hundred rows with all that a page shows", () => {
    assert.equal(excess(PAGE("50")), null);
    assert.equal(excess(PAGE("100")), null);
  });

  it("counts a field once for each row of every list around it", () => {
    // users + nodes + 100 x (queuedJobs + nodes) + 100 x 97 or 98 ids
    assert.equal(excess(USERS("100", "97")), null);
    assert.deepEqual(excess(USERS("100", "98")), tooCostly(2 + 200 + 9800));
    assert.deepEqual(excess(USERS("100", "100").replaceAll("nodes", "edges").replace("{ id }", "{ node { id } }").replace("edges { queuedJobs", "edges { node { queuedJobs").concat(" }")), tooCostly(2 + 300 + 20_000));
  });

  it("knows how many rows are asked for by a variable, by its default, and by the schema's", () => {
    const text = USERS("$n", "$m");
    assert.equal(excess(`query ($n: Int, $m: Int) ${text}`, { n: 100, m: 20 }), null);
    assert.deepEqual(excess(`query ($n: Int, $m: Int) ${text}`, { n: 100, m: 100 }), tooCostly(10_202));
    assert.deepEqual(excess(`query ($n: Int = 100, $m: Int = 100) ${text}`), tooCostly(10_202));
    assert.equal(excess(`query ($n: Int = 100, $m: Int = 100) ${text}`, { m: 20 }), null);
    // 20 x 20 rows of 40 fields
    assert.deepEqual(excess(`{ users { nodes { queuedJobs { nodes { ${"id ".repeat(40)} } } } } }`), tooCostly(2 + 40 + 400 * 40));
  });

  it("is not told tales: what is no number of rows counts as the most or as the least there are", () => {
    const text = `query ($n: Int) ${USERS("$n", "100")}`;
    assert.deepEqual(excess(text, { n: 2 ** 31 - 1 }), tooCostly(10_202));
    assert.deepEqual(excess(text, { n: null }), tooCostly(10_202));
    assert.equal(excess(text, { n: -5 }), null);
    assert.equal(excess(text, { n: 0 }), null);
    // The execution says what is wrong with it, and does nothing.
    assert.equal(excess(text, { n: "many" }), null);
  });

  it("counts a list that nobody limits as four rows, and the answer to many inputs as so many", () => {
    const history = (fields: number) => `{ queuedJob(id: "") { ${"history { queuedJob { ".repeat(5)} ${"id ".repeat(fields)} ${"} } ".repeat(5)} } }`;
    assert.equal(excess(history(8)), null);
    assert.deepEqual(excess(history(9)), tooCostly(1 + (1 + 4 + 16 + 64 + 256) + (4 + 16 + 64 + 256 + 1024) + 9 * 1024));
    const submit = (fields: number) => `mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { ${"id ".repeat(fields)} } }`;
    const inputs = (count: number) => ({ inputs: Array.from({ length: count }, () => ({ job: "echo" })) });
    assert.equal(excess(submit(99), inputs(100)), null);
    assert.equal(excess(submit(200), inputs(10)), null);
    assert.deepEqual(excess(submit(100), inputs(100)), tooCostly(10_001));
  });

  it("finds fields within fragments and interfaces", () => {
    const within = "fragment F on QueuedJobConnection { nodes { id } }";
    assert.deepEqual(excess(`{ users(first: 100) { nodes { queuedJobs(first: 100) { ...F } } } } ${within}`), tooCostly(10_202));
    assert.deepEqual(excess(`{ node(id: "") { ... on Photo { queuedJobs(first: 100) { nodes { photos { queuedJobs(first: 100) { ...F } } } } } } } ${within}`), tooCostly(1 + 1 + 1 + 100 + 400 + 400 + 40_000));
  });

  it("takes variables of 32 levels, and refuses one more", () => {
    const variables = (levels: number) => ({ a: JSON.parse(`${'{"a":['.repeat(levels / 2)}${levels % 2 ? "{}" : "1"}${"]}".repeat(levels / 2)}`) as unknown });
    assert.equal(excess("{ me { id } }", variables(31)), null);
    for (const levels of [32, 10_000]) assert.deepEqual(excess("{ me { id } }", variables(levels)), ["GRAPHQL_VALIDATION_FAILED", "valueDepth", "The variables are nested deeper than 32 levels."]);
  });
});
