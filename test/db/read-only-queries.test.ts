// What an operator may type into the page of the database, and what becomes of it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import postgres from "postgres";
import { migrate } from "../../src/db/migrate.js";
import {
  createReadOnlyQueries,
  type ReadOnlyAnswer,
  type ReadOnlyQueries,
} from "../../src/db/read-only-queries.js";
import { readOnlyPassword } from "../../src/db/read-only-role.js";
import { RefusedQueryError } from "../../src/db/refused-query-error.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";
import { eventually } from "../support/runner/eventually.js";

const ONLY_READING =
  "Only reading is possible here: begin with SELECT, WITH, VALUES, TABLE, EXPLAIN or SHOW.";
const ONE = "One statement at a time: there is a second one behind a semicolon.";

describe("queries of operators", () => {
  let store: TestDatabase;
  let queries: ReadOnlyQueries;
  before(async () => {
    store = await createTestDatabase();
    await migrate(store.url);
    queries = createReadOnlyQueries({ database: store.database, databaseUrl: store.url });
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

  const given: [text: string, answer: Partial<ReadOnlyAnswer>][] = [
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
  for (const [text, answer] of given) {
    it(`answers ${JSON.stringify(text)}`, async () => {
      const found: Partial<ReadOnlyAnswer> = without(await queries.run(text));
      for (const [part, value] of Object.entries(answer))
        assert.deepEqual(found[part as keyof ReadOnlyAnswer], value, part);
    });
  }

  const refused: [text: string, sentence: string | RegExp][] = [
    ["", "There is no query to run."],
    [" ; -- nothing", "There is no query to run."],
    ["delete from users", ONLY_READING],
    ["do $$ begin perform 1; end $$", ONLY_READING],
    ["copy (select 1) to program 'id'", ONLY_READING],
    ["copy users to '/tmp/users'", ONLY_READING],
    ["set role photos", ONLY_READING],
    ["set transaction read write", ONLY_READING],
    ["notify bell", ONLY_READING],
    ["lock table users", ONLY_READING],
    ["begin", ONLY_READING],
    ["commit; drop table users", ONLY_READING],
    ["create table readonly.x ()", ONLY_READING],
    ["grant select on users to public", ONLY_READING],
    ["select 1; select 2", ONE],
    ["select 1; delete from users", ONE],
    ["select 1 /* ; */; -- '\n drop schema readonly cascade", ONE],
    [
      "select 1) as q(c1); delete from users; select (1",
      /^PostgreSQL says: syntax error at or near "\)"\.$/,
    ],
    [
      "select 1) as q(c1), (select repeat('x', 100000)",
      /^PostgreSQL says: syntax error at or near "\)"\.$/,
    ],
    [
      "with gone as (delete from users returning *) select * from gone",
      /^PostgreSQL says: (permission denied for view users|WITH clause containing a data-modifying statement must be at the top level)\.$/,
    ],
    [
      "with x as (insert into jobs (name) values ('x') returning *) select * from x",
      /permission denied|data-modifying/,
    ],
    ["select * into stolen from users", "It has no columns: there is nothing to show."],
    ["select * from users for update", /permission denied|read-only transaction/],
    [
      "explain analyze delete from users",
      /permission denied for (view|table) users|Only reading is possible here/,
    ],
    [
      "explain analyze create table x as select 1",
      /permission denied for schema readonly|Only reading is possible here/,
    ],
    ["select * from public.users", "PostgreSQL says: permission denied for table users."],
    ["select idempotency_key from queued_jobs", /column "idempotency_key" does not exist/],
    ["select storage_key from photos", /column "storage_key" does not exist/],
    ["select sha256 from photos", /"sha256"/],
    [
      "select storage_key from public.photos",
      "PostgreSQL says: permission denied for table photos.",
    ],
    [
      "select * from drizzle.__drizzle_migrations",
      "PostgreSQL says: permission denied for schema drizzle.",
    ],
    ["select * from pg_authid", "PostgreSQL says: permission denied for table pg_authid."],
    ["select passwd from pg_shadow", "PostgreSQL says: permission denied for view pg_shadow."],
    [
      "select pg_read_file('/etc/passwd')",
      "PostgreSQL says: permission denied for function pg_read_file.",
    ],
    [
      "select pg_read_binary_file('postgresql.conf')",
      "PostgreSQL says: permission denied for function pg_read_binary_file.",
    ],
    ["select * from pg_ls_dir('/')", "PostgreSQL says: permission denied for function pg_ls_dir."],
    ["select lo_export(1, '/tmp/x')", "PostgreSQL says: permission denied for function lo_export."],
    [
      "select lo_import('/etc/passwd')",
      "PostgreSQL says: permission denied for function lo_import.",
    ],
    ["select lo_create(0)", "Only reading is possible here."],
    [
      "select set_config('transaction_read_only', 'off', true), lo_create(0)",
      /must be set before any query|Only reading is possible here/,
    ],
    ["select set_config('role', 'photos', false)", /permission denied to set role/],
    [
      "select set_config('session_authorization', 'photos', false)",
      /permission denied to set session authorization/,
    ],
    ["select set_config('log_statement', 'none', false)", /permission denied to set parameter/],
    [
      "select dblink('dbname=photos', 'delete from users')",
      /function dblink\(unknown, unknown\) does not exist/,
    ],
    ["select query_to_xml('delete from users', true, true, '')", /permission denied|Only reading/],
    [
      "select nextval('drizzle.__drizzle_migrations_id_seq')",
      "PostgreSQL says: permission denied for schema drizzle.",
    ],
    [
      "select pg_terminate_backend(pid) from pg_stat_activity where usename <> current_user",
      /permission denied to terminate process/,
    ],
    ["select pg_terminate_backend(pg_backend_pid())", "Its connection was ended."],
    ["select pg_reload_conf()", "PostgreSQL says: permission denied for function pg_reload_conf."],
    [
      "select * from generate_series(1, 200000000)",
      "It needs more room on disk than a query may take here: ask for less, or with a LIMIT.",
    ],
    ["select 'a\0b'", "It has a character in it that PostgreSQL does not take."],
    ["select from jobs", "It has no columns: there is nothing to show."],
    [
      `select ${Array.from({ length: 101 }, (_, i) => i).join(", ")}`,
      "It has 101 columns: at most 100 are shown.",
    ],
    ["select 1/0", "PostgreSQL says: division by zero."],
    ["select nmae from jobs", /^PostgreSQL says: column "nmae" does not exist\. Perhaps you meant/],
  ];
  for (const [text, sentence] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 100))} with a sentence`, async () => {
      const told = await refusal(text);
      if (typeof sentence === "string") assert.equal(told, sentence);
      else assert.match(told, sentence);
    });
  }

  it(
    "stops what takes longer than five seconds, also when it has lifted the limit, and " +
      "lets no third one in meanwhile",
    async () => {
      const startedAt = performance.now();
      const slow = [
        refusal("select pg_sleep(60)"),
        refusal("select set_config('statement_timeout', '0', false), pg_sleep(60)"),
      ];
      const active = () =>
        store.database.sql`select from pg_stat_activity where datname = current_database()
            and application_name = 'photo-service admin' and query like '%pg_sleep(60)%'
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
      for (const told of await Promise.all(slow))
        assert.match(told, /^It took (longer than 5 seconds|too long) and was stopped\.$/);
      assert.ok(performance.now() - startedAt < 8000);
      await eventually(
        "nothing is left of them",
        async () =>
          (
            await store.database.sql`select from pg_stat_activity where datname = current_database()
                and application_name = 'photo-service admin'`
          ).length === 0,
      );
    },
  );

  it("gives the first rows of ten million, and says that there are more", async () => {
    const answer = await queries.run("select generate_series(1, 10000000) as n");
    assert.deepEqual(
      [answer.rows.length, answer.rows[0], answer.rows.at(-1), answer.more],
      [500, ["1"], ["500"], true],
    );
    assert.ok(answer.ms < 2000, `${answer.ms} ms`);
    assert.equal((await queries.run("select generate_series(1, 501)", { rows: 501 })).more, false);
  });

  it("cuts long cells, by whole characters, before they leave PostgreSQL", async () => {
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
    assert.ok(process.memoryUsage().rss - before_ < 30_000_000, "it came here whole");
  });

  it("takes parameters", async () => {
    const { rows } = await queries.run(
      "select name from jobs where (name) > ($1) order by name limit $2",
      { parameters: ["e", 1] },
    );
    assert.deepEqual(rows, [["echo"]]);
  });

  it("leaves nothing of one query to the next", async () => {
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

  it("runs nothing as a role that was given more than to read", async () => {
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
        /^The role that only reads may do more than that in this database/,
        give,
      );
      await change(take);
      assert.deepEqual((await queries.run("select 1")).rows, [["1"]]);
    }
  });

  it("says what to do where the role is missing or its password is another", async () => {
    const other = createReadOnlyQueries({
      database: store.database,
      databaseUrl: Object.assign(new URL(store.url), { password: "changed" }).href,
    });
    await assert.rejects(other.run("select 1"), {
      message: "The role that only reads is not in step with DATABASE_URL: run npm run migrate.",
    });
    const open = createReadOnlyQueries({
      database: store.database,
      databaseUrl: Object.assign(new URL(store.url), { password: "" }).href,
    });
    await assert.rejects(open.run("select 1"), /^RefusedQueryError: DATABASE_URL has no password/);
    const fresh = await createTestDatabase();
    const unmigrated = createReadOnlyQueries({ database: fresh.database, databaseUrl: fresh.url });
    await assert.rejects(unmigrated.run("select 1"), {
      message: "The role that only reads is not in step with DATABASE_URL: run npm run migrate.",
    });
    await fresh.close();
  });

  it("is SERVICE_UNAVAILABLE while the database is away", async () => {
    const away = createReadOnlyQueries({
      database: store.database,
      databaseUrl: "postgres://nobody:secret@127.0.0.1:1/none",
    });
    await assert.rejects(away.run("select 1"), {
      code: "SERVICE_UNAVAILABLE",
      message: "The database is away; try again in a moment.",
    });
  });

  it("could not write if all of that failed: the role itself has no right to", async () => {
    const [{ role } = { role: "" }] = await store.database.sql<
      { role: string }[]
    >`select current_database() || '_readonly' as role`;
    const sql = postgres(store.url, {
      username: role,
      password: readOnlyPassword(store.url, role) ?? "",
      max: 1,
      onnotice: () => {},
    });
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
      "set role photos",
      "create function x() returns int language sql as 'select 1'",
    ];
    try {
      for (const text of writes) {
        await assert.rejects(
          sql.unsafe(`begin; set transaction read write; ${text}; commit`),
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
