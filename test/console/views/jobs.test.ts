// Groups on the page, in a real browser.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Locator } from "playwright-core";
import {
  accessibilityFaults,
  closeWindow,
  NOT_ALL,
  startBrowser,
  type TestBrowser,
} from "../../support/clients/browser.js";
import { eventually } from "../../support/runner/eventually.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const ENQUEUE = `mutation ($input: EnqueueGroupInput!) { enqueueGroup(input: $input) { id } }`;

describe("the groups of the page", { skip: NOT_ALL, timeout: 240_000 }, () => {
  let service: TestService;
  let browser: TestBrowser;
  before(async () => {
    [service, browser] = await Promise.all([startTestService(), startBrowser()]);
  });
  after(() => Promise.all([browser?.close(), service?.close()]));

  it("are one row whose bar moves live; opened, their jobs are cancelled together", async () => {
    const client = await service.person();
    const person = await browser.signIn(service.url, client.token, { view: "jobs" });
    const { page } = person;
    const echo = (key: string, durationMs: number, follows: string[] = []) => ({
      key,
      job: "echo",
      parameters: { message: key, durationMs, steps: 20 },
      after: follows,
    });
    const jobs = [echo("a", 0), echo("b", 0), echo("c", 60_000), echo("d", 0, ["c"])];
    const { id } = (await client.get(ENQUEUE, { input: { name: "Four echoes", jobs } }))
      .enqueueGroup;
    const row = page.locator(`[data-id="${id}"]`);
    await row.getByText("2 of 4 done · 1 running · 1 waiting").waitFor();
    assert.equal(await page.locator(".job-row").count(), 1);
    const start = await valueOf(row);
    await eventually("the bar has moved", async () => (await valueOf(row)) > start);
    assert.deepEqual(await accessibilityFaults(page), []);

    await row.locator(".open").press("Enter");
    await page.locator(".job-row").nth(3).waitFor();
    assert.ok(page.url().endsWith(`/?view=jobs&group=${id}`));
    await page.getByText("after other jobs").waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.getByRole("button", { name: "Cancel Four echoes" }).click();
    await page.locator(".group-progress").getByText("2 of 4 done · 2 cancelled").waitFor();
    await page.keyboard.press("Escape");
    await row.locator(".status", { hasText: "Cancelled" }).waitFor();
    await row.locator(".open:focus").waitFor();
    await closeWindow(person);
  });

  it("are made by a recipe for the selected photos, and end with an archive", async () => {
    const client = await service.person();
    for (let i = 0; i < 2; i++) await client.upload(smallPhoto(60, 40));
    const person = await browser.signIn(service.url, client.token);
    const { page } = person;
    await page.locator(".tile .choose").first().click();
    await page.getByRole("button", { name: "Select all 2" }).click();
    await page.getByRole("button", { name: "New job", exact: true }).click();
    await page.getByRole("combobox", { name: "Job", exact: true }).selectOption("Web set");
    const submit = page.getByRole("button", { name: "Submit for 2 photos" });
    await submit.click();
    await page.locator(".field .fault", { hasText: "This is required." }).waitFor();
    await page.getByRole("textbox", { name: "Text" }).fill("© Ann");
    await page.getByText("One group of 7 jobs").waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await submit.click();
    await page.getByText("7 of 7 done").waitFor({ timeout: 60_000 });
    assert.equal(
      (await page.locator(".job-row strong").allTextContents()).join(),
      "Scrub,Watermark,Thumbnails,Scrub,Watermark,Thumbnails,Archive",
    );
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download the archive" }).click();
    assert.equal((await saved).suggestedFilename(), "photos.zip");
    assert.deepEqual(await accessibilityFaults(page), []);
    await closeWindow(person, { but: /400/ });
  });

  it("take at most 500 photos, of which one more is refused before it is sent", async () => {
    const client = await service.person();
    const { me } = await client.get("{ me { id } }");
    await service.database.sql`
      insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
        storage_key, created_at)
      select gen_random_uuid(), ${me.id}, 'a.png', 'image/png', 1, 1, 1, i::text, 'photos/' || i,
        now() from generate_series(1, 501) i`;
    const person = await browser.signIn(service.url, client.token);
    const { page } = person;
    await page.locator(".tile .choose").first().click();
    await page.getByRole("button", { name: "Select all 501" }).click();
    await page.getByRole("button", { name: "New job", exact: true }).click();
    await page.getByText("One group takes at most 500 photos: deselect 1.").waitFor();
    const submit = page.getByRole("button", { name: /^Submit for/ });
    assert.equal(await submit.isDisabled(), true);
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.locator(".tile .choose").first().click();
    await page.getByText("One group of 500 jobs").waitFor();
    assert.equal(await submit.isEnabled(), true);
    await closeWindow(person);
  });
});

async function valueOf(row: Locator): Promise<number> {
  return Number(await row.getByRole("progressbar").getAttribute("aria-valuenow"));
}
