import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createDatabase } from "../../../src/db/database.js";
import { createTcpProxy } from "../../support/stores/tcp-proxy.js";
import { createTestDatabase, type TestDatabase } from "../../support/stores/test-database.js";

const ID = "0198f3a0-0000-7000-8000-00000000000a";
const AWKWARD = [
  "",
  " ",
  "a b",
  'say "x"',
  "back\\slash",
  "{1,2}",
  "a,b",
  "NULL",
  "null",
  "line\nbreak",
  "\u00e9\u4e2d\ud83d\ude00",
  "'",
  '\\\\"',
  "}",
];

describe("arrays", () => {
  let store: TestDatabase;
  before(async () => {
    store = await createTestDatabase();
  });
  after(() => store.close());

  const roundTrips: [type: string, values: unknown[]][] = [
    ["text", AWKWARD],
    ["text", [null, "x", null]],
    ["text", []],
    ["varchar", ["a"]],
    ["name", ["a"]],
    ["uuid", [ID, null]],
    ["int", [1, -2, null, 2147483647]],
    ["smallint", [1]],
    ["float8", [0.1, -1e300]],
    ["float4", [0.5]],
    ["bigint", ["9007199254740993", null]],
    ["boolean", [true, false, null]],
    ["jsonb", ['{"a": [1, "\\"x\\""]}', "null", null]],
    ["oid", [26]],
  ];
  for (const [type, values] of roundTrips) {
    it(`of ${type} survive a round trip: ${JSON.stringify(values).slice(0, 60)}`, async () => {
      const { sql } = store.database;
      // The values are sent as text[], because the driver has no type for arrays of booleans.
      const texts = values.map((value) => (value === null ? null : String(value)));
      const rows = await sql.unsafe(
        `select ($1::text[])::${type}[] as values, cardinality($1::text[]) as n, ` +
          "array_to_json($1::text[])::text as json",
        [texts],
      );
      assert.deepEqual(
        [rows[0]?.["values"], rows[0]?.["n"], JSON.parse(String(rows[0]?.["json"]))],
        [values, values.length, texts],
      );
    });
  }

  it("work as parameters of all types that the statements use", async () => {
    const { sql } = store.database;
    const [row] = await sql`select ${[ID, null]}::uuid[] as ids, ${[1, null]}::int[] as ints,
        ${["0.5", null]}::float8[] as floats, ${[9, null]}::bigint[] as bigs,
        ${['{"a":1}', null]}::jsonb[] as jsons, ${[
          [1, 2],
          [3, 4],
        ]}::int[] as nested`;
    assert.deepEqual(
      { ...row, nested: null },
      {
        ids: [ID, null],
        ints: [1, null],
        floats: [0.5, null],
        bigs: ["9", null],
        jsons: ['{"a": 1}', null],
        nested: null,
      },
    );
  });

  it("need no query for their types, which a lost connection could not answer", async () => {
    const sent: Buffer[] = [];
    const proxy = await createTcpProxy(store.url, () => (bytes) => void sent.push(bytes));
    const database = createDatabase({
      url: proxy.url,
      connections: 1,
      applicationName: "arrays",
    });
    assert.deepEqual((await database.sql`select ${["a"]}::text[] as texts`)[0]?.["texts"], ["a"]);
    assert.equal(Buffer.concat(sent).includes("pg_type"), false);
    await database.close();
    await proxy.close();
  });
});
