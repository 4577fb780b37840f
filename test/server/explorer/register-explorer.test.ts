import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import { launchChromium, NO_BROWSER, watchPage } from "../../support/clients/chromium.js";
import { long } from "../../support/runner/long.js";
import { createTestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
/** Settings of a developer's machine, where the service generates its key. */
const DEVELOPMENT = {
  NODE_ENV: "development",
  JWT_PUBLIC_KEY: "",
  JWT_ISSUER: "",
  JWT_AUDIENCE: "",
};
const TOKEN = /Bearer (eyJ[\w-]+\.[\w-]+\.[\w-]+)/;

describe("the explorer", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ env: DEVELOPMENT });
  });
  after(() => service.close());

  for (const path of ["/explorer/", "/graphql"]) {
    it(`signs in at ${path} on this machine, in an uncached and unframed page`, async () => {
      const { status, headers, text } = await rawGet(service.url + path, HTML);
      assert.equal(status, 200);
      assert.equal(
        (await createTestClient(service.url, TOKEN.exec(text)?.[1] ?? "").get("{ me { email } }"))
          .me.email,
        "you@example.com",
      );
      const policy = String(headers["content-security-policy"]);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.match(
        policy,
        /script-src 'self'( https:\/\/embeddable-sandbox\.cdn\.apollographql\.com)?;/,
      );
      assert.deepEqual(
        [headers["cache-control"], headers["x-content-type-options"], headers["referrer-policy"]],
        ["no-store", "nosniff", "no-referrer"],
      );
      for (const [, attributes = ""] of text.matchAll(/<script([^>]*)>/g))
        assert.match(attributes, / src="|type="application\/json"/);
    });

    it(`contains no token at ${path} for foreign names, proxies and other origins`, async () => {
      for (const headers of [
        { host: "evil.test" },
        { "x-forwarded-for": "192.0.2.1" },
        { origin: "http://localhost:3000" },
        { "sec-fetch-site": "cross-site" },
      ]) {
        const { status, text } = await rawGet(service.url + path, { ...HTML, ...headers });
        assert.equal(status, 200);
        assert.doesNotMatch(text, /eyJ/, JSON.stringify(headers));
      }
    });
  }

  it("contains no token in scripts, which any page may load", async () => {
    for (const path of ["/explorer/start.js", "/graphql/sandbox.js"]) {
      const { status, headers, text } = await rawGet(service.url + path);
      assert.deepEqual([status, headers["content-type"]], [200, "text/javascript; charset=utf-8"]);
      assert.doesNotMatch(text, /eyJ|Bearer/);
    }
  });

  it("runs pre-request scripts in a sandboxed frame", async () => {
    const { status, headers } = await rawGet(`${service.url}/explorer/iframe-sandbox/index.html`);
    assert.deepEqual([status, headers["content-security-policy"]], [200, "sandbox allow-scripts"]);
  });

  it("leaves other types and GET queries at /graphql to GraphQL", async () => {
    for (const [path, headers] of [
      ["/graphql", {}],
      ["/graphql", { accept: "application/json" }],
      ["/graphql?query={__typename}", HTML],
    ] as const) {
      const answer = await rawGet(service.url + path, headers);
      const { status, text } = answer;
      assert.equal(status, 400);
      assert.match(
        String(answer.headers["content-type"]),
        /^application\/(graphql-response\+)?json/,
      );
      assert.ok(JSON.parse(text).errors[0].extensions.code, text);
    }
    assert.equal((await rawGet(`${service.url}/explorer`, HTML)).headers["location"], "explorer/");
  });

  it("is off in production without EXPLORER=true, and elsewhere with EXPLORER=false", async () => {
    const services = await Promise.all([
      startTestService({ workers: 0 }),
      startTestService({ workers: 0, env: { EXPLORER: "true" } }),
      startTestService({ workers: 0, env: { NODE_ENV: "development", EXPLORER: "false" } }),
    ]);
    const [off, on, switchedOff] = services;
    for (const { url } of [off, switchedOff]) {
      for (const path of [
        "/explorer",
        "/explorer/",
        "/explorer/start.js",
        "/explorer/main.js",
        "/graphql/sandbox.js",
      ])
        assert.equal((await rawGet(url + path, HTML)).status, 404, path);
      assert.match(String((await rawGet(`${url}/graphql`, HTML)).headers["content-type"]), /json/);
    }
    const { status, text } = await rawGet(`${on.url}/explorer/`, HTML);
    assert.equal(status, 200);
    assert.doesNotMatch(text, /eyJ|Bearer/);
    assert.match(String((await rawGet(`${on.url}/graphql`, HTML)).headers["content-type"]), /json/);
    await Promise.all(services.map((started) => started.close()));
  });

  it(
    "replaces Apollo Sandbox in an offline browser, and shows the events of a job",
    { skip: NO_BROWSER || long.skip },
    async (t) => {
      const browser = await launchChromium();
      t.after(() => browser.close());
      const page = await browser.newPage({ viewport: { width: 1300, height: 800 } });
      const { outside, errors } = watchPage(page, service.url);
      await page.goto(`${service.url}/graphql`);
      await page.waitForURL(`${service.url}/explorer/`);
      const sandbox =
        "https://embeddable-sandbox.cdn.apollographql.com/_latest/embeddable-sandbox.umd.production.min.js";
      assert.deepEqual(outside.splice(0), [sandbox]);
      assert.deepEqual(errors.splice(0), [
        `Failed to load resource: net::ERR_NAME_NOT_RESOLVED ${sandbox}`,
      ]);

      const socket = page.waitForEvent("websocket");
      await page.getByText("(Send subscription Watch)").click();
      const opened = await socket;
      assert.equal(opened.url(), `${service.url.replace("http", "ws")}/graphql`);
      await page.getByText("Submit", { exact: true }).click();
      await page.getByText("(Send mutation Submit)").click();
      await page.getByText("PENDING").first().waitFor();
      await page.getByText("Watch", { exact: true }).click();
      await page.getByText("SUCCEEDED").first().waitFor();
      if (process.env["SCREENSHOTS"])
        await page.screenshot({ path: `${process.env["SCREENSHOTS"]}/explorer.png` });
      assert.deepEqual([outside, errors], [[], []]);
    },
  );
});

/** Sends a GET with headers that fetch does not allow, for example another Host. */
function rawGet(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    })
      .on("error", reject)
      .end();
  });
}
