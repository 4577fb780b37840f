import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const PAGES = [
  "/admin/queues",
  "/admin/queues/api/queues",
  "/admin/jobs",
  "/admin/jobs/01987654-3210-7000-8000-000000000000",
  "/admin/operations",
  "/admin/operations/new",
  "/admin/operations/01987654-3210-7000-8000-000000000000",
  "/admin/audit",
  "/admin/workers",
  "/admin/pauses",
  "/admin/webhooks",
  "/admin/db",
  "/admin/db/users",
  "/admin/style.css",
  "/admin/query-editor.js",
  "/admin",
];

describe("the admin pages", () => {
  let operated: TestService;
  before(async () => {
    operated = await startTestService({ operated: true, workers: 0 });
  });
  after(() => operated.close());

  it("require the operator's password", async () => {
    for (const path of PAGES) {
      const answer = await fetch(`${operated.url}${path}`, { redirect: "manual" });
      assert.deepEqual(
        [answer.status, answer.headers.get("www-authenticate")],
        [401, 'Basic realm="Photo Service", charset="UTF-8"'],
        path,
      );
      const bearer = await fetch(`${operated.url}${path}`, {
        redirect: "manual",
        headers: { authorization: `Bearer ${await operated.token()}` },
      });
      assert.equal(bearer.status, 401, path);
      assert.ok([200, 302, 400, 404].includes((await operated.operator.get(path)).status), path);
    }
  });

  it("begin with the jobs", async () => {
    const { status, headers } = await operated.operator.get("/admin");
    assert.deepEqual([status, headers.get("location")], [302, "/admin/jobs"]);
    assert.match(
      (await operated.operator.get("/admin/jobs")).text,
      /<nav><a href="\/admin\/jobs" aria-current="page">Jobs<\/a> <a href="\/admin\/operations">/,
    );
  });

  it("do not exist when no password is set", async () => {
    const closed = await startTestService({ workers: 0 });
    for (const path of PAGES) {
      const answer = await fetch(`${closed.url}${path}`, {
        headers: { authorization: `Basic ${Buffer.from("admin:").toString("base64")}` },
      });
      assert.deepEqual(
        [answer.status, await answer.json()],
        [404, { code: "NOT_FOUND", message: "Not found: no route has this method and path." }],
        path,
      );
    }
    await closed.close();
  });

  it("cannot be framed, run no foreign script, and are not cached", async () => {
    for (const path of PAGES) {
      const { headers } = await operated.operator.get(path);
      const policy = headers.get("content-security-policy") ?? "";
      assert.match(policy, /^default-src '(none|self)';/, path);
      for (const rule of ["frame-ancestors 'none'", "form-action 'self'"])
        assert.ok(policy.includes(rule), `${path}: ${policy}`);
      const ownScript = path === "/admin/db" ? "; script-src 'self'" : "";
      assert.ok(policy.endsWith(ownScript), `${path}: ${policy}`);
      const others = policy.slice(0, policy.length - ownScript.length);
      assert.doesNotMatch(others, /script-src|unsafe-eval|https?:|\*/, path);
      assert.deepEqual(
        [
          headers.get("x-frame-options"),
          headers.get("x-content-type-options"),
          headers.get("cross-origin-resource-policy"),
        ],
        ["DENY", "nosniff", "same-origin"],
        path,
      );
    }
    assert.equal(
      (await operated.operator.get("/admin/jobs")).headers.get("cache-control"),
      "no-store",
    );
    for (const path of ["/admin/jobs", "/admin/db"])
      assert.doesNotMatch(
        (await operated.operator.get(path)).text.replace(
          '<script src="/admin/query-editor.js" defer></script>',
          "",
        ),
        /<script|<style| style=| on\w+=|https?:\/\//i,
        path,
      );
  });

  it("refuse changes that come from other sites", async () => {
    const { host } = new URL(operated.url);
    const foreign: Record<string, string>[] = [
      {},
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "none" },
      { "sec-fetch-site": "cross-site", origin: `http://${host}` },
      { origin: "https://evil.test" },
      { origin: "null" },
      { origin: `http://${host}.evil.test` },
      { origin: `http://${host}0` },
    ];
    for (const headers of foreign) {
      for (const path of ["/admin/db", "/admin/queues/api/queues/tasks-in-worker/add"]) {
        const answer = await operated.operator.post(path, { sql: "select 1" }, headers);
        assert.deepEqual(
          [answer.status, JSON.parse(answer.text)],
          [
            403,
            {
              code: "FORBIDDEN",
              message: "Changes are accepted only from this service's own pages.",
            },
          ],
          JSON.stringify(headers),
        );
      }
    }
    assert.equal(
      (await operated.operator.post("/admin/db", { sql: "select 1" }, { origin: `http://${host}` }))
        .status,
      200,
    );
    assert.equal(
      (await operated.operator.get("/admin/db?sql=select+1")).text.includes("1 row"),
      false,
    );
  });

  it("answer an invalid request with a page, without internal details", async () => {
    const broken = await operated.operator.get("/admin/db/queued_jobs?after=nonsense");
    assert.equal(broken.status, 400);
    assert.match(
      broken.text,
      /PostgreSQL says: invalid input syntax for type uuid: &quot;nonsense&quot;/,
    );
    const large = await operated.operator.post("/admin/db", { sql: "x".repeat(70_000) });
    assert.equal(large.status, 413);
    assert.match(large.text, /The request is malformed or too large\./);
    const json = await fetch(`${operated.url}/admin/db`, {
      method: "POST",
      body: "<x>",
      headers: {
        authorization: `Basic ${Buffer.from("admin:the operators' password").toString("base64")}`,
        "content-type": "text/xml",
        "sec-fetch-site": "same-origin",
      },
    });
    assert.equal(json.status, 415);
  });
});
