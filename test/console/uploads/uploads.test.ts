// Uploads through the page, in a real browser.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import {
  accessibilityFaults,
  closeWindow,
  NOT_ALL,
  startBrowser,
  type TestBrowser,
} from "../../support/clients/browser.js";
import { createUploads } from "../../../src/console/uploads/uploads.js";
import { eventually } from "../../support/runner/eventually.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { createTcpProxy } from "../../support/stores/tcp-proxy.js";

describe("uploads of the page", { skip: NOT_ALL, timeout: 120_000 }, () => {
  let service: TestService;
  let browser: TestBrowser;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "photo-service-dropped-"));
    [service, browser] = await Promise.all([startTestService(), startBrowser()]);
  });
  after(async () => {
    await Promise.all([browser?.close(), service?.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("accept files and folders dropped anywhere on the page", async () => {
    const person = await browser.signIn(service.url, (await service.person()).token);
    const { page } = person;
    mkdirSync(join(folder, "trip/day 2"), { recursive: true });
    for (const name of ["a.png", "trip/b.png", "trip/day 2/c.png"])
      writeFileSync(join(folder, name), smallPhoto());
    writeFileSync(join(folder, "trip/notes.txt"), "not a photo");
    const drag = await dragOver(page, [join(folder, "a.png"), join(folder, "trip")]);
    await page.getByText("Drop to upload").waitFor();
    await drag.leave();
    await page.getByText("Add photos").waitFor();
    await (await dragOver(page, [join(folder, "a.png"), join(folder, "trip")])).drop();
    for (const name of ["a.png", "b.png", "c.png"])
      await page.locator(".tile").getByRole("button", { name }).waitFor();
    assert.equal(await page.locator(".tile").count(), 3);
    assert.equal(await page.getByRole("alert").count(), 0);
    assert.equal(page.url(), `${service.url}/`, "the browser left the page for the file");
    await closeWindow(person);
  });

  it("go on when the service is back, and are asked for again after a reload", async (t) => {
    const cuttable = await createTcpProxy(service.url);
    t.after(() => cuttable.close());
    const url = new URL(cuttable.url).origin;
    const person = await browser.signIn(url, (await service.person()).token);
    const { page } = person;
    const photo = (name: string, width: number) => ({
      name,
      mimeType: "image/png",
      buffer: smallPhoto(width, 20),
    });
    const tile = (name: string) => page.locator(".tile").getByRole("button", { name });
    cuttable.down();
    await page.getByText("Connection lost, reconnecting…").waitFor();
    await page.setInputFiles("input[type=file]", [photo("a.png", 21)]);
    await page.getByText("Uploading 1 of 1").waitFor();
    cuttable.up();
    await tile("a.png").waitFor();

    page.on("dialog", (dialog) => void dialog.accept());
    await page.route("**/photos", () => {});
    await page.setInputFiles("input[type=file]", [photo("b.png", 22), photo("c.png", 23)]);
    await page.getByText("Uploading 1 of 2").waitFor();
    await page.reload();
    await page.unroute("**/photos");
    const again = page.locator(".interrupted");
    await again.getByText("2 uploads interrupted").waitFor();
    assert.match((await again.textContent()) ?? "", /b\.png, c\.png/);
    assert.deepEqual(await accessibilityFaults(page), []);
    await again.locator("input[type=file]").setInputFiles([photo("b.png", 22)]);
    await tile("b.png").waitFor();
    await again.getByText("1 upload interrupted").waitFor();
    await again.getByRole("button", { name: "Dismiss" }).click();
    await again.waitFor({ state: "detached" });
    await closeWindow(person, { but: /WebSocket connection|Failed to load resource/ });
  });

  it("show a late preview as soon as it is made", async () => {
    const client = await service.person();
    const { json } = await client.upload(smallPhoto());
    const { id } = await client.finished(
      (await client.enqueue("palette", {}, { photoIds: [json["id"]] })).id,
    );
    // The state after an upload that did not wait for its preview. The attempt count keeps
    // workers from making the preview at first.
    await service.database.sql`update photos set preview_key = null, preview_attempts = 3
        where id = ${String(json["id"])}`;
    const person = await browser.signIn(service.url, client.token);
    const { page } = person;
    await page.locator(".tile .no-preview").waitFor();
    await page.getByRole("link", { name: "Jobs" }).click();
    const row = page.locator(`[data-id="${id}"]`);
    await row.locator(".no-preview").waitFor();
    await service.database.sql`update photos set preview_attempts = 0
        where id = ${String(json["id"])}`;
    await row.locator("img.is-there").waitFor();
    await page.getByRole("link", { name: "Photos" }).click();
    await page.locator(".tile img.is-there").waitFor();
    await closeWindow(person);
  });
});

describe("the list of uploads", () => {
  const file = (name: string, size: number) => ({ name, size }) as File;

  /** Uploads that the test ends; each is aborted as the client does it. */
  function open() {
    const ends = new Map<string, (error?: Error) => void>();
    const uploads = createUploads({
      maxBytes: 2 * 1024 * 1024,
      onUploaded() {},
      upload: (blob, { onProgress, signal } = {}) =>
        new Promise((resolve, reject) => {
          const { name } = blob as File;
          onProgress?.(0.5);
          signal?.addEventListener("abort", () => reject(new Error("aborted")));
          ends.set(name, (error) =>
            error ? reject(error) : resolve({ id: name, isNew: true, damaged: null } as never),
          );
        }),
    });
    const states = () => uploads.list.value.map(({ state }) => state).join();
    return { uploads, ends, states };
  }

  it("has the progress of all, by bytes, and the photos that came of it", async () => {
    const { uploads, ends, states } = open();
    uploads.add([file("a", 300), file("b", 100)]);
    assert.equal(uploads.total.value.progress, 0.5);
    ends.get("a")?.();
    await eventually("one is done", () => states() === "done,sending");
    assert.equal(uploads.total.value.progress, 350 / 400);
    assert.deepEqual([uploads.photoIds.value, uploads.isRunning.value], [["a"], true]);
    ends.get("b")?.();
    await eventually("both are done", () => !uploads.isRunning.value);
    uploads.add([file("c", 1)]);
    assert.equal(uploads.list.value.length, 1, "the finished batch is still there");
  });

  it("cancels one or all without a failure, and retries what another attempt can help", async () => {
    const { uploads, ends, states } = open();
    uploads.add([file("a", 1), file("b", 1), file("large", 3e6)]);
    await eventually("the large one is refused", () => states() === "sending,sending,failed");
    const { error, canRetry } = uploads.list.value[2] ?? {};
    assert.deepEqual([error, canRetry], ["Too large: the limit is 2 MB.", false]);
    uploads.dismiss(uploads.list.value[0]?.id ?? 0);
    assert.equal(states(), "sending,failed");
    ends.get("b")?.(new Error("The connection was lost."));
    await eventually("it failed", () => states() === "failed,failed");
    uploads.retryFailed();
    await eventually("it is sent again", () => states() === "sending,failed");
    assert.equal(uploads.list.value[0]?.canRetry, false, "it is on its way");
    uploads.cancelAll();
    assert.equal(states(), "failed");
  });
});

/** Holds files of this machine over the list of jobs, through the browser's debugger protocol. */
async function dragOver(
  page: Page,
  files: string[],
): Promise<{ drop(): Promise<void>; leave(): Promise<void> }> {
  const session = await page.context().newCDPSession(page);
  const { x, y } =
    (await page.locator("#content").boundingBox()) ?? assert.fail("the view is not shown");
  const dispatch = (type: "dragEnter" | "dragOver" | "drop" | "dragCancel") =>
    session.send("Input.dispatchDragEvent", {
      type,
      x: x + 50,
      y: y + 200,
      data: { items: [], files, dragOperationsMask: 1 },
    });
  await dispatch("dragEnter");
  await dispatch("dragOver");
  return {
    drop: async () => void (await dispatch("drop")),
    leave: async () => void (await dispatch("dragCancel")),
  };
}
