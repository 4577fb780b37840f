// What somebody may try who has found the operators' pages, or has their password: each refused
// with a sentence, over HTTP, nothing told that is secret, nothing changed, and the service as it
// was.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { readOnlyPassword } from "../../../../src/db/read-only-role.js";
import { ADMIN_PASSWORD } from "../../../support/clients/operator-client.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import type { TestClient } from "../../../support/clients/test-client.js";

const KEY = "the-key-of-a-submission";
const TEN_MILLION = "select i, md5(i::text) from generate_series(1, 10000000) i";

const ATTEMPTS: [what: string, sql: string, status: number, sentence: RegExp][] = [
  // Writes, in every dress.
  ["an insert", "insert into jobs (name) values ('x')", 400, /Only reading is possible here/],
  ["an update", "update queued_jobs set status = 'SUCCESS'", 400, /Only reading is possible here/],
  ["a delete", "DELETE FROM users", 400, /Only reading is possible here/],
  ["a truncate", "truncate queued_jobs cascade", 400, /Only reading is possible here/],
  ["a drop", "drop schema public cascade", 400, /Only reading is possible here/],
  [
    "a delete in a WITH",
    "with gone as (delete from users returning *) select * from gone",
    400,
    /PostgreSQL says: /,
  ],
  [
    "a delete that is explained and run",
    "explain analyze delete from users",
    400,
    /PostgreSQL says: permission denied/,
  ],
  ["a table made of a result", "select * into stolen from users", 400, /It has no columns/],
  [
    "a write by a function",
    "select query_to_xml('delete from users', true, true, '')",
    400,
    /permission denied|Only reading/,
  ],
  ["a row lock", "select * from users for update", 400, /permission denied|read-only/],
  ["a large object", "select lo_from_bytea(0, 'x')", 400, /Only reading is possible here/],
  [
    "another role",
    "select set_config('role', (select rolname from pg_roles where rolsuper limit 1), " +
      "false), 1 from users",
    400,
    /permission denied to set role/,
  ],
  // Several statements.
  ["a second statement", "select 1; delete from users", 400, /One statement at a time/],
  [
    "a second statement behind a comment",
    "select 1 /* ; */ -- ;\n; drop table public.users",
    400,
    /One statement at a time/,
  ],
  [
    "a transaction that is ended",
    "commit; begin; delete from public.users; commit",
    400,
    /Only reading is possible here/,
  ],
  [
    "a way out of the subquery",
    "select 1) as q(c1); delete from public.users; select * from (select 1",
    400,
    /syntax error/,
  ],
  // Settings.
  [
    "set_config that lets it write",
    "select set_config('transaction_read_only', 'off', false), lo_create(0)",
    400,
    /must be set before any query|Only reading/,
  ],
  [
    "set_config that lets later ones write",
    "select set_config('default_transaction_read_only', 'off', false), " +
      "query_to_xml('insert into jobs (name) values (1)', true, true, '')",
    400,
    /permission denied|Only reading/,
  ],
  [
    "set_config that lifts the time limit",
    "select set_config('statement_timeout', '0', false), pg_sleep(60)",
    400,
    /It took (too long|longer than 5 seconds) and was stopped/,
  ],
  [
    "a setting of the server",
    "select set_config('log_min_messages', 'panic', false)",
    400,
    /permission denied to set parameter/,
  ],
  ["SET", "set session authorization default", 400, /Only reading is possible here/],
  // Time and room.
  ["pg_sleep(60)", "select pg_sleep(60)", 400, /It took longer than 5 seconds and was stopped/],
  ["ten million rows", TEN_MILLION, 400, /It needs more room on disk than a query may take here/],
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
    /Only reading is possible here/,
  ],
  ["COPY from a program", "copy users from program 'id'", 400, /Only reading is possible here/],
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
  [
    "a block of code",
    "do $$ begin delete from users; end $$",
    400,
    /Only reading is possible here/,
  ],
  [
    "a dollar-quoted semicolon with a statement behind it",
    "select $a$;$a$; delete from users",
    400,
    /One statement at a time/,
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
    "a function made on the way",
    "create function x() returns int language sql as $$ delete from users returning 1 $$",
    400,
    /Only reading is possible here/,
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
    "keys of stored files, of the table itself",
    "select storage_key from public.photos",
    400,
    /permission denied for table photos/,
  ],
  ["hashes of people's bytes", "select sha256 from photos", 400, /sha256/],
  ["keys of submissions", "select idempotency_key from queued_jobs", 400, /idempotency_key/],
  [
    "a whole row of the table",
    "select p::text from public.photos p",
    400,
    /permission denied for table photos/,
  ],
  [
    "what others are asking",
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

describe("harm that is tried on the operators' pages", () => {
  let operated: TestService;
  let person: TestClient;
  let secrets: string[];
  let before_: string;
  before(async () => {
    operated = await startTestService({ operated: true, workers: 0, env: { TRUST_PROXY: "1" } });
    person = await operated.person();
    const photo = (await person.upload(smallPhoto(), { type: "image/png" })).json as { id: string };
    await person.enqueue("thumbnail", {}, { photoIds: [photo.id], idempotencyKey: KEY });
    secrets = await findSecrets();
    before_ = await stateOfDatabase();
  });
  after(() => operated.close());

  async function findSecrets(): Promise<string[]> {
    const { sql } = operated.database;
    const [photo] = await sql<
      { storageKey: string; sha256: string }[]
    >`select storage_key as "storageKey", sha256 from photos`;
    const [role] = await sql<
      { name: string; verifier: string }[]
    >`select rolname as name, rolpassword as verifier from pg_authid
      where rolname = current_database() || '_readonly'`;
    const url = process.env["TEST_DATABASE_URL"] ?? "";
    const all = [
      KEY,
      photo?.storageKey,
      photo?.sha256,
      role?.verifier,
      readOnlyPassword(url, role?.name ?? ""),
      new URL(url).password,
      ADMIN_PASSWORD,
      "SCRAM-SHA-256",
      "root:x:",
    ];
    assert.ok(
      all.every((secret) => typeof secret === "string" && secret.length > 5),
      JSON.stringify(all),
    );
    return all as string[];
  }

  /** Rows, roles, relations, functions, large objects: what there is to be changed. */
  async function stateOfDatabase(): Promise<string> {
    const tables = await operated.database.sql<
      { name: string }[]
    >`select oid::regclass::text as name from pg_class where relkind = 'r'
      and relnamespace = 'public'::regnamespace order by 1`;
    const rows = await Promise.all(
      tables.map(({ name }) =>
        operated.database.sql.unsafe(
          `select '${name}' as name, count(*), md5(string_agg(t::text, '|' order by ` +
            `t::text)) from ${name} t`,
        ),
      ),
    );
    const [rest] = await operated.database.sql`select (select count(*) from pg_class
        where relname not like 'pg\\_%') as relations, (select count(*)
          from pg_proc) as functions, (select count(*)
            from pg_largeobject_metadata) as objects, (select md5(string_agg(r::text, '|'
              order by oid)) from pg_authid r where rolname = current_database() || '_readonly') as
                role`;
    return JSON.stringify([rows, rest]);
  }

  const tell = (text: string) =>
    /<p (?:class="refused" role="alert"|role="status")>([^<]*)</.exec(text)?.[1] ?? text;

  // As many at a time as are let in.
  describe("in SQL", { concurrency: 2 }, () => {
    for (const [what, sql, status, sentence] of ATTEMPTS) {
      it(`${status === 200 ? "gives nothing away by" : "refuses"} ${what}`, async () => {
        const answer = await operated.operator.post("/admin/db", { sql, format: "table" });
        assert.equal(answer.status, status, tell(answer.text));
        assert.match(status === 200 ? answer.text : tell(answer.text), sentence);
        assert.deepEqual(
          secrets.filter((secret) => answer.text.includes(secret)),
          [],
        );
        assert.doesNotMatch(
          answer.text,
          / at \S+ \(|node_modules|postgres:\/\//,
          "nothing of what is inside",
        );
      });
    }
  });

  it("has changed nothing, left no query behind, and the service answers", async () => {
    assert.equal(await stateOfDatabase(), before_);
    assert.equal(
      (
        await operated.database.sql`select from pg_stat_activity where datname = current_database()
            and application_name = 'photo-service admin' and state = 'active'`
      ).length,
      0,
    );
    assert.equal((await person.get("{ photos { nodes { id } } }")).photos.nodes.length, 1);
    assert.deepEqual(
      operated.logged.filter(({ level }) => Number(level) >= 50),
      [],
    );
  });

  it("is no use to a page that makes a browser send it, whatever it sends", async () => {
    for (const format of ["table", "csv"]) {
      const answer = await operated.operator.post(
        "/admin/db",
        { sql: "select email from users", format },
        { "sec-fetch-site": "cross-site", origin: "https://evil.test" },
      );
      assert.deepEqual([answer.status, answer.text.includes("@example.test")], [403, false]);
    }
  });

  it(
    "ends a guessing of passwords after ten, for that address alone, the right one too, " +
      "and tells a wrong user as a wrong password",
    async () => {
      const guess = (user: string, password: string, address: string) =>
        fetch(`${operated.url}/admin/db`, {
          headers: {
            authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
            "x-forwarded-for": address,
          },
        });
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          guess(i % 2 ? "admin" : "root", `guess ${i}`, "203.0.113.7"),
        ),
      );
      assert.deepEqual(
        new Set(
          await Promise.all(
            answers.map(async (answer) => `${answer.status} ${await answer.text()}`),
          ),
        ).size,
        1,
      );
      assert.equal(answers[0]?.status, 401);
      // Also by way of an address that the guesser makes up in front of its own.
      for (const address of ["203.0.113.7", "198.51.100.1, 203.0.113.7"]) {
        const refused = await guess("admin", ADMIN_PASSWORD, address);
        assert.deepEqual(
          [refused.status, await refused.json()],
          [
            429,
            {
              code: "QUOTA_EXCEEDED",
              message: "Too many wrong passwords came from your address; try again in a minute.",
            },
          ],
        );
        assert.ok(Number(refused.headers.get("retry-after")) > 0);
      }
      const other = await guess("admin", ADMIN_PASSWORD, "203.0.113.8");
      assert.equal(other.status, 200);
      assert.equal(
        (await person.ask("{ me { id } }", {}, { "x-forwarded-for": "203.0.113.7" })).status,
        200,
      );
      assert.doesNotMatch(JSON.stringify(operated.logged), /guess \d|operators' password/);
    },
  );
});
