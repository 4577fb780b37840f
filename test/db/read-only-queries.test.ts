// Tests what an operator may type into the database page, and the answers.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import postgres from "postgres";
import { migrate } from "../../src/db/migrate.js";
import {
  createReadOnlyQueries,
  type ReadOnlyAnswer,
  type ReadOnlyQueries,
} from "../../src/db/read-only-queries.js";
import { RefusedQueryError } from "../../src/db/refused-query-error.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";
import { eventually } from "../support/runner/eventually.js";

describe("queries of operators", () => {
  let store: TestDatabase;
  let queries: ReadOnlyQueries;
  before(async () => {
    store = await createTestDatabase();
    await migrate(store.url);
    queries = createReadOnlyQueries(store.url);
  });
  after(() => store.close());

  const refusal = (text: string) =>
    queries.run(text).then(
      (answer) => assert.fail(`${text} gave ${JSON.stringify(answer)}`),
      (error: unknown) => {
        assert.ok(error instanceof RefusedQueryError, String(error));
        return error.message;
      },
    );
  const without = ({ ms: _, ...answer }: ReadOnlyAnswer) => answer;

  const cases: [text: string, answer: Partial<ReadOnlyAnswer>][] = [
    [
      "select 1 as a, 'x' as a, null as b;",
      {
        columns: [
          { name: "a", type: "integer" },
          { name: "a", type: "text" },
          { name: "b", type: "text" },
        ],
        rows: [["1", "x", null]],
        more: false,
      },
    ],
    ["  -- a word\n /* and * another */ SELECT 'a;b' -- the end", { rows: [["a;b"]] }],
    ["(values (2), (1)) order by 1", { rows: [["1"], ["2"]] }],
    [
      "with x as (select 7 as n) table x",
      { columns: [{ name: "n", type: "integer" }], rows: [["7"]] },
    ],
    [
      "select '{\"b\": 1}'::jsonb, array[1,2], '\\xff'::bytea, true, now() - now()",
      { rows: [['{"b": 1}', "{1,2}", "\\xff", "true", "00:00:00"]] },
    ],
    ["select pg_sleep(0)", { columns: [{ name: "pg_sleep", type: "void" }], rows: [[null]] }],
    ["show search_path", { rows: [["readonly"]] }],
    ["explain select 1", { rows: [["Result  (cost=0.00..0.01 rows=1 width=4)"]] }],
    ["select $$it's; delete$$ as tricky", { rows: [["it's; delete"]] }],
    ["select name from jobs where false", { rows: [], more: false }],
  ];
  for (const [text, answer] of cases) {
    it(`answers ${JSON.stringify(text)}`, async () => {
      const result: Partial<ReadOnlyAnswer> = without(await queries.run(text));
      for (const [part, value] of Object.entries(answer))
        assert.deepEqual(result[part as keyof ReadOnlyAnswer], value, part);
    });
  }

  it("stops a query after five seconds, whatever its limit, and refuses a third", async () => {
    const startedAt = performance.now();
    const slow = [
      refusal("select pg_sleep(60)"),
      refusal("select set_config('statement_timeout', '0', false), pg_sleep(60)"),
    ];
    const active = () =>
      store.database.sql`select from pg_stat_activity where datname = current_database()
            and application_name = 'photo-service admin' and query like '%.run(%'
              and state = 'active'`;
    await eventually("both run", async () => (await active()).length === 2);
    assert.deepEqual(
      await queries
        .run("select 1")
        .catch(
          (error: unknown) => error instanceof RefusedQueryError && [error.message, error.later],
        ),
      ["Other queries are running already; try again in a moment.", true],
    );
    for (const message of await Promise.all(slow))
      assert.match(message, /^The query took (longer than 5 seconds|too long) and was stopped\.$/);
    assert.ok(performance.now() - startedAt < 8000);
    await eventually(
      "nothing is left of them",
      async () =>
        (
          await store.database.sql`select from pg_stat_activity where datname = current_database()
                and application_name = 'photo-service admin'`
        ).length === 0,
    );
  });

  it("returns the first rows of ten million, and that there are more", async () => {
    const answer = await queries.run("select generate_series(1, 10000000) as n");
    assert.deepEqual(
      [answer.rows.length, answer.rows[0], answer.rows.at(-1), answer.more],
      [500, ["1"], ["500"], true],
    );
    assert.ok(answer.ms < 2000, `${answer.ms} ms`);
    assert.equal((await queries.run("select generate_series(1, 501)", { rows: 501 })).more, false);
  });

  it("cuts long cells at whole characters before they leave PostgreSQL", async () => {
    const before_ = process.memoryUsage().rss;
    const { rows } = await queries.run(
      "select repeat('x', 60000000) as a, repeat('👍', 2000) as b, repeat('👍', 2001) as c",
    );
    assert.deepEqual(
      rows[0]?.map((cell) => [[...(cell ?? "")].length, cell?.slice(-2)]),
      [
        [2001, "x…"],
        [2000, "👍"],
        [2001, `${"👍".slice(1)}…`],
      ],
    );
    assert.ok(process.memoryUsage().rss - before_ < 30_000_000, "the whole cell arrived here");
  });

  it("leaves no state of one query for the next", async () => {
    await queries.run(
      "select set_config('statement_timeout', '0', false), set_config('search_path', " +
        "'public', false), pg_advisory_lock(1), pg_notify('x', 'y')",
    );
    assert.deepEqual(
      (
        await queries.run(
          "select current_setting('statement_timeout'), current_setting('search_path')",
        )
      ).rows,
      [["5s", "readonly"]],
    );
    await eventually(
      "the lock is gone",
      async () =>
        (
          await queries.run(
            "select count(*) from pg_locks where locktype = 'advisory' and database = " +
              "(select oid from pg_database where datname = current_database())",
          )
        ).rows[0]?.[0] === "0",
    );
  });

  it("refuses to run as a role that may do more than read", async () => {
    const [{ role } = { role: "" }] = await store.database.sql<
      { role: string }[]
    >`select current_database() || '_readonly' as role`;
    for (const [give, take] of [
      ["grant insert on public.users to", "revoke insert on public.users from"],
      ["grant pg_read_all_data to", "revoke pg_read_all_data from"],
      ["alter role @ createdb", "alter role @ nocreatedb"],
    ] as const) {
      const change = (text: string) =>
        store.database.sql.unsafe(text.includes("@") ? text.replace("@", role) : `${text} ${role}`);
      await change(give);
      assert.match(
        await refusal("select 1"),
        /^The read-only role may do more than read in this database/,
        give,
      );
      await change(take);
      assert.deepEqual((await queries.run("select 1")).rows, [["1"]]);
    }
  });

  it("says what to do if the role or its function is missing", async () => {
    const fresh = await createTestDatabase();
    const unmigrated = createReadOnlyQueries(fresh.url);
    const name = new URL(fresh.url).pathname.slice(1);
    await assert.rejects(unmigrated.run("select 1"), {
      name: "RefusedQueryError",
      message:
        `The user of DATABASE_URL cannot become the read-only role "${name}_readonly": run npm ` +
        "run migrate. If that user may not create roles, an administrator first runs: create " +
        `role "${name}_readonly"; grant "${name}_readonly" to the user of DATABASE_URL.`,
    });
    await migrate(fresh.url);
    assert.deepEqual((await unmigrated.run("select 1")).rows, [["1"]]);
    // As after a restore without owners.
    await fresh.database.sql`alter function readonly.run owner to current_user`;
    await assert.rejects(unmigrated.run("select 1"), {
      name: "RefusedQueryError",
      message:
        "The function that runs queries as the read-only role is missing: run npm run migrate.",
    });
    await assert.rejects(
      fresh.database.sql`select readonly.run('select 1')`,
      /run does not belong to the read-only role/,
    );
    await fresh.close();
  });

  it("throws SERVICE_UNAVAILABLE while the database is unavailable", async () => {
    for (const url of ["postgres://nobody:secret@127.0.0.1:1/none", "postgres:///none?host=/none"])
      await assert.rejects(createReadOnlyQueries(url).run("select 1"), {
        code: "SERVICE_UNAVAILABLE",
        message: "The database is unavailable; try again in a moment.",
      });
  });

  it("could not write even without these checks: the role lacks the privileges", async () => {
    const [{ role } = { role: "" }] = await store.database.sql<
      { role: string }[]
    >`select current_database() || '_readonly' as role`;
    const sql = postgres(store.url, { max: 1, onnotice: () => {} });
    const writes = [
      "delete from users",
      "insert into jobs (name) values ('x')",
      "update queued_jobs set status = 'FAILED'",
      "truncate public.users",
      "create table readonly.x ()",
      "create table public.x ()",
      "create temporary table x ()",
      "drop view users",
      "alter role current_user superuser",
      "create schema x",
      "copy (select 1) to program 'true'",
      "create function x() returns int language sql as 'select 1'",
    ];
    try {
      for (const text of writes) {
        await assert.rejects(
          sql.unsafe(
            `begin; set transaction read write; set local role ${role}; ` +
              `set local search_path to readonly; ${text}; commit`,
          ),
          /permission denied|must be owner|Only roles with/,
          text,
        );
        await sql.unsafe("rollback");
      }
    } finally {
      await sql.end();
    }
  });
});
