import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { build } from "vite";
import type { QueuedJobEvent } from "../../../../client/src/index.js";
import { freePort } from "../../../../src/embedded/ports.js";
import { NOT_ALL } from "../../../support/clients/browser.js";
import { launchChromium, watchPage } from "../../../support/clients/chromium.js";
import { eventually } from "../../../support/runner/eventually.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { startTestService } from "../../../support/service/test-service.js";
import { createTcpProxy } from "../../../support/stores/tcp-proxy.js";
import { ALIASES, PAGE, RENDER, servePage } from "./page.js";

describe("the hooks for React", () => {
  it("render on a server without a request, and need the provider", async (t) => {
    // Below the repository, because the bundle imports React.
    const outDir = mkdtempSync(resolve("dist/hooks-"));
    t.after(() => rmSync(outDir, { recursive: true, force: true }));
    writeFileSync(join(outDir, "render.js"), RENDER);
    await build({
      configFile: false,
      logLevel: "error",
      root: outDir,
      resolve: { alias: ALIASES },
      build: { ssr: "render.js", outDir: "built" },
    });
    const { render } = (await import(pathToFileURL(join(outDir, "built/render.js")).href)) as {
      render(isProvided: boolean): string;
    };
    assert.equal(render(true), "<p>[true,true,null,[],[],null,0]</p>");
    assert.throws(() => render(false), /PhotoServiceProvider/);
  });

  it(
    "upload, run and show a photo in strict mode, across cuts and unmounting",
    { skip: NOT_ALL, timeout: 120_000 },
    async (t) => {
      const port = await freePort();
      const service = await startTestService({
        env: { ALLOWED_ORIGINS: `http://127.0.0.1:${port}`, MAX_UPLOAD_BYTES: "1000000" },
      });
      t.after(() => service.close());
      const proxy = await createTcpProxy(service.url);
      const [bundle, browser] = await Promise.all([servePage(port, PAGE), launchChromium()]);
      t.after(() => Promise.all([browser.close(), bundle.close(), proxy.close()]));
      const person = await service.person();
      const page = await browser.newPage();
      const { errors } = watchPage(page, proxy.url);
      const api = new URL(proxy.url).origin;
      await page.goto(
        `${bundle.origin}/#${encodeURIComponent(JSON.stringify([api, person.token]))}`,
      );
      await page.locator('ol[data-live="true"]').waitFor({ state: "attached" });

      const file = { name: "a.png", mimeType: "image/png", buffer: smallPhoto(64, 48) };
      await page.setInputFiles("input", file);
      const picture = page.getByAltText("32w.webp");
      await picture.waitFor();
      const width = "document.images[0].decode().then(() => document.images[0].naturalWidth)";
      assert.equal(await page.evaluate(width), 32);
      await page.locator("ol li").getByText("thumbnail SUCCESS").waitFor();
      await page.locator("ul li").getByText("a.png").waitFor();
      const fractions = await page.evaluate<number[]>("window.fractions");
      assert.equal(fractions.at(-1), 1);

      await page.setInputFiles("input", { ...file, buffer: Buffer.from("text") });
      await page.getByText("PHOTO_UNREADABLE").waitFor();
      // The service refuses it before it has arrived.
      await page.setInputFiles("input", { ...file, buffer: Buffer.alloc(20_000_000) });
      await page.getByText("PHOTO_TOO_LARGE").waitFor();

      // Jobs of another client run while connections are cut and the list is unmounted.
      const isOwnFault = (fault: string) => !/ERR_(CONNECTION|EMPTY)|WebSocket|41[35]/.test(fault);
      for (const step of ["cut", "cut", "toggle", "cut", "toggle", "cut"]) {
        if (step === "cut") proxy.cut();
        else await page.getByRole("button", { name: "Toggle" }).click();
        await person.finished((await person.enqueue("echo", { durationMs: 20 })).id);
      }
      const rows = page.locator("ol li").getByText("echo SUCCESS");
      await eventually("all rows are there", async () => (await rows.count()) === 6);
      const events = await page.evaluate<QueuedJobEvent[]>("window.events");
      const versions = new Map<string, number[]>();
      for (const { type, queuedJob } of events) {
        if (type === "PROGRESS") continue;
        const list = versions.get(queuedJob.id) ?? [];
        versions.set(queuedJob.id, [...list, queuedJob.version]);
      }
      for (const list of versions.values())
        assert.deepEqual(
          list,
          list.map((_, i) => (list[0] ?? 0) + i),
        );
      assert.deepEqual(errors.filter(isOwnFault), []);
    },
  );
});
