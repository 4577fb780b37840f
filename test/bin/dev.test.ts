// `npm run dev` with all its processes, in a copy of this repository.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { NOT_ALL, waitUntilLive } from "../support/clients/browser.js";
import { launchChromium, watchPage } from "../support/clients/chromium.js";
import { readServiceFile } from "../../src/app/local-service/service-file.js";
import { createTestClient } from "../support/clients/test-client.js";
import { eventually } from "../support/runner/eventually.js";
import { copyProject } from "../support/processes/npm-run.js";
import { isAlive, processTree } from "../support/processes/process-tree.js";

describe("npm run dev", { skip: NOT_ALL, timeout: 280_000 }, () => {
  it("serves the page with live updates, signed in, and leaves no process", async (t) => {
    const { path: copy, remove } = copyProject();
    const dev = spawn(process.execPath, ["dist/src/bin/dev.js"], {
      cwd: copy,
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        PATH: process.env["PATH"],
        HOME: copy,
        HOST: "127.0.0.1",
        PORT: "0",
        WORKER_PORT: "0",
      },
    });
    const ended = once(dev, "close");
    t.after(async () => {
      if (dev.exitCode === null) process.kill(dev.pid ?? 0, "SIGTERM");
      await ended;
      remove();
    });
    let output = "";
    dev.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    const [, address = "", token = ""] = await eventually(
      "the page is served",
      () => /Page +(http:\S+)#token=(\S+)/.exec(output),
      90_000,
    );

    const browser = await launchChromium();
    t.after(() => browser.close());
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const { outside, errors } = watchPage(page, new URL(address).origin);
    await page.goto(`${address}#token=${token}`);
    await waitUntilLive(page);
    await change("src/console/views/photos/photos-view.tsx", "Your photos start", "They start");
    await page.getByRole("heading", { name: "They start" }).waitFor();
    await waitUntilLive(page);
    // Modules of the page that tests import are also compiled, which must not restart the
    // service.
    await change("src/console/in-words.ts", 'PENDING: "Waiting"', 'PENDING: "In line"');
    await waitUntilLive(page);
    // An empty list hides its states.
    const service = await readServiceFile(join(copy, ".data"));
    await createTestClient(service?.url ?? "", token).enqueue("echo");
    await page.getByRole("link", { name: "Jobs" }).click();
    await page.getByRole("button", { name: "In line" }).waitFor();
    // A style is replaced without a reload of the page.
    await page.evaluate("window.stayed = true");
    await change("src/console/styles/tokens.css", "--space-6: 2.5rem", "--space-6: 3rem");
    await page.waitForFunction(
      "getComputedStyle(document.documentElement).getPropertyValue('--space-6') === '3rem' " +
        "&& window.stayed",
    );
    assert.deepEqual([outside, errors], [[], []]);

    const pids = processTree(dev.pid ?? 0);
    process.kill(dev.pid ?? 0, "SIGTERM");
    await ended;
    await eventually("nothing is left running", () => !pids.some(isAlive));

    async function change(path: string, from: string, to: string): Promise<void> {
      const text = readFileSync(join(copy, path), "utf8");
      assert.ok(text.includes(from), `${path} is without ${from}`);
      writeFileSync(join(copy, path), text.replace(from, to));
    }
  });
});
