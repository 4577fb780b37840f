// Attacks on the admin pages, with and without the password. Each one must be refused with a
// message, reveal no secret, change nothing, and leave the service working.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ADMIN_PASSWORD } from "../../../support/clients/operator-client.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import type { TestClient } from "../../../support/clients/test-client.js";
import { ATTEMPTS } from "./attempts.js";

const KEY = "the-key-of-a-submission";

describe("an attack on the admin pages", () => {
  let operated: TestService;
  let person: TestClient;
  let secrets: string[];
  let stateBefore: string;
  before(async () => {
    operated = await startTestService({ operated: true, workers: 0, env: { TRUST_PROXY: "1" } });
    person = await operated.person();
    const photo = (await person.upload(smallPhoto(), { type: "image/png" })).json as { id: string };
    await person.enqueue("thumbnail", {}, { photoIds: [photo.id], idempotencyKey: KEY });
    secrets = await findSecrets();
    stateBefore = await stateOfDatabase();
  });
  after(() => operated.close());

  async function findSecrets(): Promise<string[]> {
    const { sql } = operated.database;
    const [photo] = await sql<
      { storageKey: string; sha256: string }[]
    >`select storage_key as "storageKey", sha256 from photos`;
    const url = process.env["TEST_DATABASE_URL"] ?? "";
    const all = [
      KEY,
      photo?.storageKey,
      photo?.sha256,
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

  /** A summary of everything that can change: rows, roles, relations, functions, large objects. */
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

  const messageIn = (text: string) =>
    /<p (?:class="refused" role="alert"|role="status")>([^<]*)</.exec(text)?.[1] ?? text;

  // The service runs two queries at a time.
  describe("in SQL", { concurrency: 2 }, () => {
    for (const [what, sql, status, sentence] of ATTEMPTS) {
      it(`${status === 200 ? "reveals nothing by" : "is refused with"} ${what}`, async () => {
        const answer = await operated.operator.post("/admin/db", { sql, format: "table" });
        assert.equal(answer.status, status, messageIn(answer.text));
        assert.match(status === 200 ? answer.text : messageIn(answer.text), sentence);
        assert.deepEqual(
          secrets.filter((secret) => answer.text.includes(secret)),
          [],
        );
        assert.doesNotMatch(
          answer.text,
          / at \S+ \(|node_modules|postgres:\/\//,
          "no internal details",
        );
      });
    }
  });

  it("changes nothing, leaves no query running, and the service answers", async () => {
    assert.equal(await stateOfDatabase(), stateBefore);
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

  it("is refused when another site's page sends it", async () => {
    for (const format of ["table", "csv"]) {
      const answer = await operated.operator.post(
        "/admin/db",
        { sql: "select email from users", format },
        { "sec-fetch-site": "cross-site", origin: "https://evil.test" },
      );
      assert.deepEqual([answer.status, answer.text.includes("@example.test")], [403, false]);
    }
  });

  it("by guessing passwords is stopped after ten tries, only for that address", async () => {
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
        await Promise.all(answers.map(async (answer) => `${answer.status} ${await answer.text()}`)),
      ).size,
      1,
    );
    assert.equal(answers[0]?.status, 401);
    // The second one adds a forged address in front of the real one.
    for (const address of ["203.0.113.7", "198.51.100.1, 203.0.113.7"]) {
      const refused = await guess("admin", ADMIN_PASSWORD, address);
      assert.deepEqual(
        [refused.status, await refused.json()],
        [
          429,
          {
            code: "QUOTA_EXCEEDED",
            message:
              "Too many wrong passwords from your address: at most 10 per minute; try again in " +
              "a minute.",
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
  });
});
