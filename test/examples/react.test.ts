// The React example in a real browser. `npm run check -- react` installs its packages first.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { freePort } from "../../src/embedded/ports.js";
import { NOT_ALL } from "../support/clients/browser.js";
import { launchChromium, watchPage } from "../support/clients/chromium.js";
import { eventually } from "../support/runner/eventually.js";
import { serveBundle } from "../support/clients/serve-bundle.js";
import { createTcpProxy } from "../support/stores/tcp-proxy.js";
import { startTestService } from "../support/service/test-service.js";

const NOT_INSTALLED =
  !existsSync("examples/react/node_modules") &&
  "npm run check -- react installs the example's packages and runs this test";

describe("React with Apollo Client", { skip: NOT_ALL || NOT_INSTALLED, timeout: 120_000 }, () => {
  it("keeps its cache current by subscription, across cuts and expired cursors", async (t) => {
    const port = await freePort();
    const service = await startTestService({
      env: { ALLOWED_ORIGINS: `http://127.0.0.1:${port}` },
    });
    t.after(() => service.close());
    const cuttable = await createTcpProxy(service.url);
    const api = new URL(cuttable.url).origin;
    const [bundle, browser] = await Promise.all([
      serveBundle(port, {
        root: "examples/react",
        define: { "import.meta.env.VITE_API": JSON.stringify(api) },
      }),
      launchChromium(),
    ]);
    t.after(() => Promise.all([browser.close(), bundle.close(), cuttable.close()]));
    const client = await service.person();
    const page = await browser.newPage();
    const { errors } = watchPage(page, api);
    const operationNames: string[] = [];
    page.on(
      "request",
      (request) =>
        void (
          request.url() === `${api}/graphql` &&
          request.method() === "POST" &&
          operationNames.push(
            String((request.postDataJSON() as { operationName: string }).operationName),
          )
        ),
    );

    await page.goto(bundle.origin);
    await page.getByLabel("Token").fill(client.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    const rows = page.getByRole("listitem");
    await page.getByRole("button", { name: "Submit" }).click();
    await rows.filter({ hasText: "Echo: STARTED" }).waitFor();
    await page.waitForFunction("document.querySelector('progress').value > 0");
    await rows.filter({ hasText: "Echo: SUCCESS" }).waitFor();
    const other = await client.enqueue("echo", { failPermanently: true });
    await rows.filter({ hasText: "Echo: FAILED" }).waitFor();
    assert.deepEqual(
      (await rows.allTextContents()).map((text) => /\w+: (\w+)/.exec(text)?.[1]),
      ["FAILED", "SUCCESS"],
    );
    await client.get("mutation ($id: ID!) { deleteQueuedJob(id: $id) }", { id: other.id });
    await rows.filter({ hasText: "Echo: FAILED" }).waitFor({ state: "detached" });

    assert.deepEqual([operationNames, errors], [["MyJobs", "Submit"], []]);

    for (const isExpired of [false, true]) {
      cuttable.down();
      await client.finished((await client.enqueue("echo")).id);
      const refused = errors.length;
      await eventually("an attempt to connect has failed", () => errors.length > refused);
      if (isExpired) await service.database.sql`update user_streams set floor_seq = last_seq`;
      const count = await rows.count();
      cuttable.up();
      await rows.nth(count).waitFor();
      assert.equal(await rows.filter({ hasText: "Echo: SUCCESS" }).count(), count + 1);
    }
    await client.enqueue("echo", { failPermanently: true });
    await rows.filter({ hasText: "Echo: FAILED" }).waitFor();
    assert.deepEqual(operationNames, ["MyJobs", "Submit", "MyJobs"]);
    assert.deepEqual(
      errors.filter((error) => !error.includes("ERR_CONNECTION_REFUSED")),
      [],
    );
  });
});
