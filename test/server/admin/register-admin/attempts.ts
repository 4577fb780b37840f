const TEN_MILLION = "select i, md5(i::text) from generate_series(1, 10000000) i";

/** SQL that an operator might try, with the status and the message of the answer. */
export const ATTEMPTS: [what: string, sql: string, status: number, sentence: RegExp][] = [
  // Writes in various forms.
  ["an insert", "insert into jobs (name) values ('x')", 400, /Only reading is allowed here/],
  ["an update", "update queued_jobs set status = 'SUCCESS'", 400, /Only reading is allowed here/],
  ["a delete", "DELETE FROM users", 400, /Only reading is allowed here/],
  ["a truncate", "truncate queued_jobs cascade", 400, /Only reading is allowed here/],
  ["a drop", "drop schema public cascade", 400, /Only reading is allowed here/],
  [
    "a delete in a WITH",
    "with gone as (delete from users returning *) select * from gone",
    400,
    /PostgreSQL says: /,
  ],
  [
    "a delete in EXPLAIN ANALYZE",
    "explain analyze delete from users",
    400,
    /PostgreSQL says: permission denied/,
  ],
  [
    "a table created from a result",
    "select * into stolen from users",
    400,
    /The query has no columns/,
  ],
  [
    "a write by a function",
    "select query_to_xml('delete from users', true, true, '')",
    400,
    /permission denied|Only reading/,
  ],
  ["a row lock", "select * from users for update", 400, /permission denied|read-only/],
  ["a large object", "select lo_from_bytea(0, 'x')", 400, /Only reading is allowed here/],
  [
    "another role",
    "select set_config('role', (select rolname from pg_roles where rolsuper limit 1), " +
      "false), 1 from users",
    400,
    /cannot set parameter &quot;role&quot; within security-definer function/,
  ],
  // Several statements.
  ["a second statement", "select 1; delete from users", 400, /Only one statement is allowed/],
  [
    "a second statement behind a comment",
    "select 1 /* ; */ -- ;\n; drop table public.users",
    400,
    /Only one statement is allowed/,
  ],
  [
    "an early end of the transaction",
    "commit; begin; delete from public.users; commit",
    400,
    /Only reading is allowed here/,
  ],
  [
    "an escape from the subquery",
    "select 1) as q(c1); delete from public.users; select * from (select 1",
    400,
    /syntax error/,
  ],
  // Settings.
  [
    "a set_config that enables writing",
    "select set_config('transaction_read_only', 'off', false), lo_create(0)",
    400,
    /must be set before any query|Only reading/,
  ],
  [
    "a set_config that enables writing in later transactions",
    "select set_config('default_transaction_read_only', 'off', false), " +
      "query_to_xml('insert into jobs (name) values (1)', true, true, '')",
    400,
    /permission denied|Only reading/,
  ],
  [
    "a set_config that lifts the time limit",
    "select set_config('statement_timeout', '0', false), pg_sleep(60)",
    400,
    /The query took (too long|longer than 5 seconds) and was stopped/,
  ],
  [
    "a setting of the server",
    "select set_config('log_min_messages', 'panic', false)",
    400,
    /permission denied to set parameter/,
  ],
  ["SET", "set session authorization default", 400, /Only reading is allowed here/],
  // Time and space.
  [
    "pg_sleep(60)",
    "select pg_sleep(60)",
    400,
    /The query took longer than 5 seconds and was stopped/,
  ],
  ["ten million rows", TEN_MILLION, 400, /The query needs more disk space than allowed/],
  [
    "ten million rows, one after another",
    "select generate_series(1, 10000000)",
    200,
    /The first 500 rows; there are more/,
  ],
  // Programs and files.
  [
    "COPY to a program",
    "copy (select 1) to program 'touch /tmp/owned'",
    400,
    /Only reading is allowed here/,
  ],
  ["COPY from a program", "copy users from program 'id'", 400, /Only reading is allowed here/],
  [
    "a file of the server",
    "select pg_read_file('/etc/passwd')",
    400,
    /permission denied for function pg_read_file/,
  ],
  [
    "a folder of the server",
    "select * from pg_ls_dir('.')",
    400,
    /permission denied for function pg_ls_dir/,
  ],
  [
    "another server",
    "select * from dblink('host=127.0.0.1', 'select 1') as t(a int)",
    400,
    /does not exist/,
  ],
  // Dollar quotes.
  ["a block of code", "do $$ begin delete from users; end $$", 400, /Only reading is allowed here/],
  [
    "a dollar-quoted semicolon with a statement behind it",
    "select $a$;$a$; delete from users",
    400,
    /Only one statement is allowed/,
  ],
  [
    "a dollar quote that hides the end of the subquery",
    "select $a$ $a$) as q(c1) /* $a$ */; delete from public.users --",
    400,
    /PostgreSQL says: |One statement/,
  ],
  [
    "a dollar quote that never ends",
    "select $a$ ; delete from users",
    400,
    /unterminated dollar-quoted string/,
  ],
  [
    "a new function",
    "create function x() returns int language sql as $$ delete from users returning 1 $$",
    400,
    /Only reading is allowed here/,
  ],
  // Secrets.
  [
    "pg_authid",
    "select rolname, rolpassword from pg_authid",
    400,
    /permission denied for table pg_authid/,
  ],
  [
    "pg_shadow",
    "select usename, passwd from pg_shadow",
    400,
    /permission denied for view pg_shadow/,
  ],
  [
    "the password column of pg_user, which is masked",
    "select distinct passwd from pg_user",
    200,
    /\*{8}/,
  ],
  [
    "the subscriptions' passwords",
    "select subconninfo from pg_subscription",
    400,
    /permission denied/,
  ],
  [
    "keys of stored files",
    "select storage_key from photos",
    400,
    /column &quot;storage_key&quot; does not exist/,
  ],
  [
    "keys of stored files in the table itself",
    "select storage_key from public.photos",
    400,
    /permission denied for table photos/,
  ],
  ["hashes of photos", "select sha256 from photos", 400, /sha256/],
  ["keys of submissions", "select idempotency_key from queued_jobs", 400, /idempotency_key/],
  [
    "a whole row of the table",
    "select p::text from public.photos p",
    400,
    /permission denied for table photos/,
  ],
  [
    "the queries of others",
    "select query from pg_stat_activity where usename <> current_user and query not like '<%'",
    200,
    /0 rows/,
  ],
  [
    "statistics of hidden columns",
    "select most_common_vals from pg_stats where tablename = 'photos' and schemaname = 'public'",
    200,
    /0 rows/,
  ],
];
