// The operators' pages show nothing without the password, and with it they escape everything that
// users wrote. test/db/read-only-queries.test.ts covers the statements that the database page
// refuses, and test/server/access/admin-guard.test.ts password guessing.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ADMIN_PASSWORD } from "../support/clients/operator-client.js";
import { startTestService, type TestService } from "../support/service/test-service.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { LEAKS } from "./attacked-service.js";
import { head, sendRaw } from "./raw-request.js";

const SPELLINGS = [
  "/admin",
  "/admin/",
  "/admin/db",
  "/admin/db/",
  "//admin/db",
  "/admin//db",
  "/./admin/db",
  "/admin/../admin/db",
  "/health/../admin/db",
  "/health/live/../../admin/db",
  "/health/live%2f..%2f..%2fadmin/db",
  "/ADMIN/db",
  "/Admin/db",
  "/%61dmin/db",
  "/admin/%64b",
  "/admin%2fdb",
  "/admin/db;x=1",
  "/admin/db%00",
  "/admin/db%20",
  "/admin/db.css",
  "/admin/db?format=csv",
  "/admin/db#x",
  "/admin\\db",
  "/admin/jobs",
  "/admin/jobs/01987654-3210-7000-8000-000000000000",
  "/admin/operations",
  "/admin/audit",
  "/admin/style.css",
  "/admin/style.css/../db",
  "/admin/workers",
  "/admin/pauses",
  "/admin/webhooks",
  "/admin/queues",
  "/admin/queues/",
  "/admin/queues/../db",
  "/admin/queues/static/../../db",
  "/admin/queues/api/queues",
  "/admin/queues/queue/tasks-in-worker",
  "/metrics",
  "/metrics/",
  "/%6detrics",
  "http://127.0.0.1/admin/db",
  "/x/../metrics",
];
const basic = (pair: string) => `authorization: Basic ${Buffer.from(pair).toString("base64")}`;
const CREDENTIALS: [what: string, headers: string[]][] = [
  ["no password", []],
  ["an empty password", [basic("admin:")]],
  ["only the user", [basic("admin")]],
  ["only the password", [basic(ADMIN_PASSWORD)]],
  ["another user", [basic(`root:${ADMIN_PASSWORD}`)]],
  ["the user in capitals", [basic(`ADMIN:${ADMIN_PASSWORD}`)]],
  ["the password with a suffix", [basic(`admin:${ADMIN_PASSWORD}x`)]],
  ["the password with a NUL", [basic(`admin:${ADMIN_PASSWORD}\0`)]],
  ["SQL as the password", [basic("admin:' or '1'='1")]],
  ["the password as a Bearer token", [`authorization: Bearer ${ADMIN_PASSWORD}`]],
  ["the password in the address", ["x-original-url: /admin/db?password=x"]],
  ["a password of 100 kB", [basic(`admin:${"x".repeat(100_000)}`)]],
];

/** Texts that occur only on these pages. */
const INSIDE = /<table|photos_|tasks-in|select job_name/;

const MARKUP = `"'><script>alert(1)</script><img src=x onerror=alert(1)><!--{{7*7}}\${7*7}`;
const FORMULA = `=cmd|' . C calc'!A0${MARKUP.replace("/", "")}`;
/** Planted markup that a browser would run if a page did not escape it. */
const ALIVE = /<script>alert|<img src=x|<!--\{\{|onerror=alert\(1\)>/;

const ODD_ADDRESSES = [
  "/admin/jobs?user=%00",
  "/admin/jobs?job=%00",
  "/admin/jobs?status=%00",
  "/admin/jobs?before=%00",
  "/admin/jobs?id=%00",
  "/admin/jobs?user=' or 1=1 --",
  "/admin/jobs?user[]=a&user[]=b",
  "/admin/jobs?__proto__[user]=x",
  "/admin/jobs?user=%ff%fe",
  `/admin/jobs?user=${"a".repeat(10_000)}`,
  `/admin/jobs?user=${encodeURIComponent(MARKUP)}`,
  `/admin/jobs?id=${encodeURIComponent(MARKUP)}`,
  `/admin/jobs/${encodeURIComponent(MARKUP)}`,
  "/admin/jobs/..%2f..%2fetc",
  "/admin/jobs/%00",
  ...["code", "request", "worker", "photo", "from", "to", "refresh"].flatMap((name) => [
    `/admin/jobs?${name}=%00`,
    `/admin/jobs?${name}=${encodeURIComponent(MARKUP)}`,
    `/admin/operations/new?action=RETRY&${name}=${encodeURIComponent(MARKUP)}`,
  ]),
  "/admin/jobs?from=9999-99-99T99:99",
  "/admin/jobs?to=0000-01-01",
  `/admin/operations/${encodeURIComponent(MARKUP)}`,
  "/admin/operations?before=%00",
  "/admin/audit?before=' or 1=1 --",
  "/admin/db/users?after=%00",
  "/admin/db/users?after=' or 1=1 --",
  "/admin/db/users?after=a&after=b",
  `/admin/db/users?after=${encodeURIComponent(MARKUP)}`,
  "/admin/db/pg_authid",
  "/admin/db/users;drop table users",
  "/admin/db/%75sers%00",
  "/admin/db/__proto__",
  "/admin/db/constructor",
  "/admin/db/..%2f..%2fetc%2fpasswd",
  `/admin/db/${"a".repeat(5000)}`,
].map((path) => path.replaceAll(" ", "%20"));

describe("the operators' pages under attack", () => {
  let operated: TestService;
  let url: string;
  let planted: string;
  before(async () => {
    operated = await startTestService({ operated: true, workers: 1, env: { TRUST_PROXY: "1" } });
    ({ url } = operated);
    const person = await operated.person({
      name: MARKUP,
      picture: `https://x.test/?${encodeURIComponent(MARKUP)}`,
      email: `${MARKUP}@example.test`,
    });
    const photo = await person.upload(smallPhoto(), { type: "image/png", filename: FORMULA });
    const { id } = await person.enqueue(
      "echo",
      { message: { [MARKUP]: FORMULA }, failPermanently: true },
      { idempotencyKey: MARKUP },
    );
    await person.enqueue("metadata", {}, { photoIds: [String(photo.json["id"])] });
    await person.finished(id);
    planted = id;
  });
  after(() => operated.close());

  // Failed sign-ins count per address, so each attacker has another address than the operator.
  let guessers = 0;
  const guessAt = (path: string, headers: string[]) =>
    sendRaw(url, head(`GET ${path}`, [`x-forwarded-for: 192.0.2.${++guessers}`, ...headers]));

  for (const [what, headers] of CREDENTIALS) {
    it(`show nothing to a request with ${what}`, async () => {
      for (const path of ["/admin/db", "/admin/jobs", "/admin/queues/api/queues", "/metrics"]) {
        const { status, body } = await guessAt(path, headers);
        assert.ok([401, 431].includes(status), `${path}: ${status}`);
        assert.doesNotMatch(body, INSIDE, path);
      }
    });
  }
  for (const path of SPELLINGS) {
    it(`show nothing without the password at ${path}`, async () => {
      const { status, body } = await guessAt(path, []);
      assert.ok([400, 401, 404].includes(status), String(status));
      assert.doesNotMatch(body, INSIDE);
    });
  }

  describe("with the password", () => {
    it("escape what users wrote, on every page", async () => {
      const pages = [
        "/admin/jobs",
        `/admin/jobs/${planted}`,
        `/admin/jobs?user=${encodeURIComponent(`${MARKUP}@example.test`)}`,
        "/admin/db",
        ...["users", "photos", "queued_jobs", "queued_job_events", "queued_job_photos"].map(
          (table) => `/admin/db/${table}`,
        ),
      ];
      let seen = "";
      for (const path of pages) {
        const { status, text } = await operated.operator.get(path);
        assert.equal(status, 200, path);
        assert.doesNotMatch(text, ALIVE, path);
        seen += text;
      }
      assert.match(seen, /&lt;script&gt;alert\(1\)/, "the planted text is not on any page");
    });

    it("escape an operator's SQL, both in the result and in the error", async () => {
      for (const sql of [
        `select '${FORMULA.replaceAll("'", "''")}' as "${MARKUP.replaceAll('"', '""')}"`,
        `select * from "${MARKUP.replaceAll('"', '""')}"`,
        `</textarea>${MARKUP}`,
      ]) {
        const { text } = await operated.operator.post("/admin/db", { sql });
        assert.doesNotMatch(text, ALIVE, sql);
        assert.doesNotMatch(text, /<\/textarea>"/, sql);
      }
    });

    it("disarm formulas in CSV files", async () => {
      const { text } = await operated.operator.post("/admin/db", {
        sql:
          "select filename from photos union all select '+1+1' union all select '@x' union " +
          "all select '-2+3'",
        format: "csv",
      });
      assert.doesNotMatch(text, /(^|\n|,)"?[=+@-]/);
      assert.match(text, /'=cmd/);
    });

    it("show only ids of the queued jobs, and nothing that users wrote", async () => {
      assert.doesNotMatch(
        (await operated.operator.get("/admin/queues/api/queues")).text,
        /alert\(1\)|example\.test/,
      );
    });

    for (const path of ODD_ADDRESSES) {
      it(`respond to ${path.slice(0, 60)} with a page or a plain error`, async () => {
        const { status, text } = await operated.operator.get(path);
        assert.ok([200, 303, 400, 404, 414].includes(status), `${status} ${text.slice(0, 500)}`);
        assert.doesNotMatch(text, ALIVE);
        assert.doesNotMatch(text.replaceAll(/<(textarea|code)[^]*?<\/\1>/g, ""), LEAKS);
      });
    }

    const QUEUE = "/admin/queues/api/queues/tasks-in-worker";
    for (const [method, path] of [
      ["PUT", `${QUEUE}/pause`],
      ["PUT", `${QUEUE}/clean/completed`],
      ["PUT", `${QUEUE}/empty`],
      ["PUT", `${QUEUE}/obliterate`],
      ["POST", `${QUEUE}/add`],
      ["PATCH", `${QUEUE}/1/update-data`],
      ["DELETE", QUEUE],
      ["PUT", "/admin/queues/api/queues/pause"],
      ["PUT", "/admin/db"],
      ["DELETE", "/admin/db/users"],
      ["POST", "/admin/jobs"],
      ["POST", "/admin/audit"],
    ] as const) {
      it(`refuse ${method} ${path.slice(13)}, even from their own page`, async () => {
        const authorization = `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString("base64")}`;
        const { status } = await fetch(`${url}${path}`, {
          method,
          headers: {
            authorization,
            "sec-fetch-site": "same-origin",
            "content-type": "application/json",
          },
          body: "{}",
        });
        assert.ok([404, 405].includes(status), String(status));
      });
    }
  });

  it("have logged no error and no password", () => {
    assert.deepEqual(
      operated.logged
        .filter((line) => Number(line["level"]) >= 50)
        .map((line) => [line["msg"], line["err"]]),
      [],
    );
    assert.equal(
      operated.logged.some((line) => JSON.stringify(line).includes(ADMIN_PASSWORD)),
      false,
    );
  });
});
