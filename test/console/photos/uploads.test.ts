// Uploads through the page, in a real browser.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import {
  closeWindow,
  NOT_ALL,
  startBrowser,
  type TestBrowser,
} from "../../support/clients/browser.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

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
      await page.getByRole("button", { name, pressed: true }).waitFor();
    assert.equal(await page.locator(".photo-grid li").count(), 3);
    assert.equal(await page.getByRole("alert").count(), 0);
    assert.equal(page.url(), `${service.url}/`, "the browser left the page for the file");
    await closeWindow(person);
  });

  it("show a late preview as soon as it is made", async () => {
    const client = await service.person();
    const { json } = await client.upload(smallPhoto());
    const { id } = await client.finished(
      (await client.enqueue("palette", {}, { photoIds: [json["id"]] })).id,
    );
    // The state after an upload that did not wait for its preview. The attempt count keeps
    // workers from making the preview.
    const [{ key } = { key: "" }] = await service.database.sql<
      { key: string }[]
    >`select preview_key as key from photos where id = ${String(json["id"])}`;
    await service.database.sql`update photos set preview_key = null, preview_attempts = 3
        where id = ${String(json["id"])}`;
    const person = await browser.signIn(service.url, client.token);
    const pictures = [".photo-grid", `[data-id="${id}"]`].map((place) =>
      person.page.locator(`${place} .preview`),
    );
    for (const picture of pictures) await picture.getByText("photo.jpg").waitFor();
    await service.database.sql`update photos set preview_key = ${key}, preview_attempts = 0
        where id = ${String(json["id"])}`;
    for (const picture of pictures) await picture.locator("img.is-there").waitFor();
    await closeWindow(person);
  });
});

/** Holds files of this machine over the list of jobs, through the browser's debugger protocol. */
async function dragOver(
  page: Page,
  files: string[],
): Promise<{ drop(): Promise<void>; leave(): Promise<void> }> {
  const session = await page.context().newCDPSession(page);
  const { x, y } =
    (await page.locator(".jobs").boundingBox()) ?? assert.fail("the list is not shown");
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
