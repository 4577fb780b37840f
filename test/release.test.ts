// Compares the next version with the released one. Clients use the released API, and during a
// roll-out old processes use the migrated database.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { buildSchema, findBreakingChanges, printSchema } from "graphql";
import { createSchema } from "../src/graphql/schema.js";
import { createTypedJobs } from "../src/graphql/typed-jobs/typed-jobs.js";
import { catalogue } from "../src/tasks/catalogue.js";
import {
  faultsForReleased,
  readDatabaseShape,
  type Column,
  type DatabaseShape,
} from "./database-shape.js";
import { createTestDatabase, type TestDatabase } from "./support/stores/test-database.js";

const GRAPHQL = "test/released.graphql";
const DATABASE = "test/released-database.json";
const renews = Boolean(process.env["RENEW_RELEASE"]);

describe("the next version", () => {
  let store: TestDatabase;
  before(async () => {
    store = await createTestDatabase();
  });
  after(() => store.close());

  it("breaks no client of the released API", async () => {
    const next = printSchema(await createSchema(createTypedJobs(catalogue.values())));
    if (renews) writeFileSync(GRAPHQL, `${next}\n`);
    assert.deepEqual(
      findBreakingChanges(buildSchema(readFileSync(GRAPHQL, "utf8")), buildSchema(next)),
      [],
    );
  });

  it("leaves a database on which the released version runs", async () => {
    const next = await readDatabaseShape(store.database.sql);
    if (renews) writeFileSync(DATABASE, `${JSON.stringify(next, null, 2)}\n`);
    const released = JSON.parse(readFileSync(DATABASE, "utf8")) as DatabaseShape;
    assert.ok(Object.keys(released).length > 5, "the released database has its tables");
    assert.deepEqual(faultsForReleased(released, next), []);
  });
});

describe("the released version", () => {
  const column = (more: Partial<Column> = {}): Column => ({
    type: "integer",
    nullable: false,
    hasDefault: false,
    ...more,
  });
  const released: DatabaseShape = {
    t: { a: column(), b: column({ nullable: true }), c: column({ hasDefault: true }) },
  };
  const withTable = (columns: Record<string, Column>): DatabaseShape => ({
    t: { ...released["t"], ...columns },
  });

  for (const [what, next] of [
    ["the same", released],
    ["a new table", { ...released, u: { x: column() } }],
    ["a new column that may be null", withTable({ d: column({ nullable: true }) })],
    ["a new column with a default", withTable({ d: column({ hasDefault: true }) })],
    ["a wider type", withTable({ a: column({ type: "bigint" }) })],
    ["a new default", withTable({ a: column({ hasDefault: true }) })],
  ] as const)
    it(`runs on a database with ${what}`, () =>
      assert.deepEqual(faultsForReleased(released, next), []));

  for (const [what, next, fault] of [
    ["a dropped table", {}, "t was dropped"],
    [
      "a dropped column",
      { t: { b: column({ nullable: true }), c: column({ hasDefault: true }) } },
      "t.a was dropped",
    ],
    [
      "a narrower type",
      withTable({ a: column({ type: "smallint" }) }),
      "t.a is smallint, but was integer",
    ],
    ["another type", withTable({ a: column({ type: "text" }) }), "t.a is text, but was integer"],
    [
      "a column that may not be null any more",
      withTable({ b: column() }),
      "t.b may not be null any more",
    ],
    [
      "a column that may now be null",
      withTable({ a: column({ nullable: true }) }),
      "t.a may be null, which the released version does not expect",
    ],
    ["a dropped default", withTable({ c: column() }), "t.c has lost its default"],
    [
      "a new required column",
      withTable({ d: column() }),
      "t.d is new and required, but the released version does not write it",
    ],
  ] as const)
    it(`does not run on a database with ${what}`, () =>
      assert.deepEqual(faultsForReleased(released, next), [fault]));
});
