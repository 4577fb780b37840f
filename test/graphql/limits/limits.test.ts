import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { getOperationAST } from "graphql";
import * as ofGroups from "../../../client/src/groups/operations.js";
import * as ofJobs from "../../../client/src/operations.js";
import * as operations from "../../../src/console/operations.js";
import {
  createDocumentChecker,
  type DocumentChecker,
} from "../../../src/graphql/document-checker.js";
import {
  createVariablesChecker,
  type VariablesChecker,
} from "../../../src/graphql/limits/variables-checker.js";
import { createSchema } from "../../../src/graphql/schema.js";
import { createTypedJobs } from "../../../src/graphql/typed-jobs/typed-jobs.js";
import { catalogue } from "../../../src/tasks/catalogue.js";
import { EXAMPLE_OPERATIONS } from "../../../src/server/explorer/page-options.js";

/** The largest variables that the console can send. */
const MAX_VARIABLES = {
  first: 100,
  inputs: Array.from({ length: 100 }, () => ({ job: "echo" })),
  input: { job: "echo" },
  id: "1",
};
const ALL_OF_A_JOB =
  "id status version progress progressMessage attempts priority parameters result " +
  "reusedFrom createdAt updatedAt startedAt finishedAt expiresAt runAt queuePosition " +
  "estimatedStartAt job { id name title } user { id email name } error { code message } " +
  "photos { id filename mimeType width height byteSize url previewUrl thumbhash } " +
  "outputs { name mimeType byteSize width height url }";
const DOCUMENTS: [what: string, text: string][] = [
  ...Object.entries(operations).map(([name, operation]): [string, string] => [
    `the console's ${name}`,
    typeof operation === "string" ? operation : operation(20),
  ]),
  ...Object.entries({ ...ofJobs, ...ofGroups })
    .map(([name, operation]): [string, string] => [
      `the client's ${name}`,
      typeof operation === "string" ? operation : operation(20),
    ])
    // The others are parts of them.
    .filter(([, text]) => /^(query|mutation|subscription)\b/.test(text)),
  ...EXAMPLE_OPERATIONS.map(({ title, document }): [string, string] => [
    `the explorer's "${title}"`,
    document,
  ]),
  [
    "two fields of each event of a hundred jobs",
    "{ queuedJobs(first: 100) { nodes { history { type at } } } }",
  ],
  [
    "the history of one job with all fields",
    "query ($id: ID!) { queuedJob(id: $id) { history { cursor type at queuedJob { " +
      `${ALL_OF_A_JOB} } } } }`,
  ],
];

describe("the limits", () => {
  let checker: DocumentChecker;
  let exceeds: VariablesChecker;
  before(async () => {
    const schema = await createSchema(createTypedJobs(catalogue.values()));
    checker = createDocumentChecker(schema, { introspection: false, production: true });
    exceeds = createVariablesChecker(schema);
  });

  for (const [what, text] of DOCUMENTS) {
    it(`allow ${what}`, () => {
      const document = checker.check(text);
      if (!("kind" in document)) assert.fail(document.map(({ message }) => message).join("\n"));
      const operation = getOperationAST(document);
      assert.ok(operation);
      assert.equal(
        exceeds(document, operation, {
          ...MAX_VARIABLES,
          ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`i${i}`, "1"])),
        })?.message,
        undefined,
      );
    });
  }
});
