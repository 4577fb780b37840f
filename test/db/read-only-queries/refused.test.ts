// Tests the queries that an operator may not run.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { migrate } from "../../../src/db/migrate.js";
import { createReadOnlyQueries, type ReadOnlyQueries } from "../../../src/db/read-only-queries.js";
import { RefusedQueryError } from "../../../src/db/refused-query-error.js";
import { createTestDatabase, type TestDatabase } from "../../support/stores/test-database.js";

const ONLY_READING =
  "Only reading is allowed here: begin with SELECT, WITH, VALUES, TABLE, EXPLAIN or SHOW.";
const IN_RUN =
  /cannot set parameter "(role|session_authorization)" within security-definer function/;
const NO_COMMAND = /is not allowed in a non-volatile function/;
const asXml = (text: string) => `select query_to_xml($q$${text}$q$, true, true, '')`;
const ONE = "Only one statement is allowed: a second one follows a semicolon.";

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

  const refused: [text: string, sentence: string | RegExp][] = [
    ["", "There is no query to run."],
    [" ; -- nothing", "There is no query to run."],
    ["delete from users", ONLY_READING],
    ["do $$ begin perform 1; end $$", ONLY_READING],
    ["copy (select 1) to program 'id'", ONLY_READING],
    ["copy users to '/tmp/users'", ONLY_READING],
    ["set role photos", ONLY_READING],
    ["set transaction read write", ONLY_READING],
    ["notify notification", ONLY_READING],
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
      new RegExp(
        "^PostgreSQL says: (permission denied for view users|" +
          "WITH clause containing a data-modifying statement must be at the top level)\\.$",
      ),
    ],
    [
      "with x as (insert into jobs (name) values ('x') returning *) select * from x",
      /permission denied|data-modifying/,
    ],
    ["select * into stolen from users", "The query has no columns, so there is nothing to show."],
    ["select * from users for update", /permission denied|read-only transaction/],
    [
      "explain analyze delete from users",
      /permission denied for (view|table) users|Only reading is allowed here/,
    ],
    [
      "explain analyze create table x as select 1",
      /permission denied for schema readonly|Only reading is allowed here/,
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
    ["select lo_create(0)", "Only reading is allowed here."],
    [
      "select set_config('transaction_read_only', 'off', true), lo_create(0)",
      /must be set before any query|Only reading is allowed here/,
    ],
    // The connection is that of the owner, to whose role nothing may return.
    ["select set_config('role', 'photos', false)", IN_RUN],
    [
      "select set_config('role', 'none', true), storage_key from public.photos",
      /permission denied/,
    ],
    ["select set_config('session_authorization', 'photos', false)", IN_RUN],
    ["explain analyze select set_config('role', 'none', true)", IN_RUN],
    [asXml("reset role"), NO_COMMAND],
    [asXml("reset session authorization"), NO_COMMAND],
    [asXml("set session authorization default"), NO_COMMAND],
    [asXml("do $do$ begin perform set_config('role', 'none', false); end $do$"), NO_COMMAND],
    [asXml("select set_config('role', 'none', false)"), IN_RUN],
    [asXml("prepare stolen as table public.photos"), NO_COMMAND],
    [asXml("create function pg_temp.f() returns int language sql return 1"), NO_COMMAND],
    ["select * from run('reset role')", /cannot open RESET query as cursor/],
    ["select * from run('delete from users')", /cannot open DELETE query as cursor/],
    ["select * from run($$select set_config('role', 'none', false)$$)", IN_RUN],
    [
      "select * from run('select storage_key from public.photos')",
      "PostgreSQL says: permission denied for table photos.",
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
    ["select pg_terminate_backend(pg_backend_pid())", /permission denied to terminate process/],
    ["select pg_reload_conf()", "PostgreSQL says: permission denied for function pg_reload_conf."],
    [
      "select * from generate_series(1, 200000000)",
      "The query needs more disk space than allowed: select fewer rows, or use LIMIT.",
    ],
    ["select 'a\0b'", "The query contains a NUL character, which PostgreSQL does not accept."],
    ["select from jobs", "The query has no columns, so there is nothing to show."],
    [
      `select ${Array.from({ length: 101 }, (_, i) => i).join(", ")}`,
      "The query has 101 columns; at most 100 are allowed.",
    ],
    ["select 1/0", "PostgreSQL says: division by zero."],
    ["select nmae from jobs", /^PostgreSQL says: column "nmae" does not exist\. Perhaps you meant/],
  ];
  for (const [text, sentence] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 100))} with a sentence`, async () => {
      const message = await refusal(text);
      if (typeof sentence === "string") assert.equal(message, sentence);
      else assert.match(message, sentence);
    });
  }
});
