// The photos of the page, in a real browser.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  accessibilityFaults,
  closeWindow,
  NOT_ALL,
  startBrowser,
  waitUntilLive,
  type TestBrowser,
} from "../../support/clients/browser.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { eventually } from "../../support/runner/eventually.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

/** Requests of a page with photos, besides its pictures. */
const MAX_REQUESTS = 12;

describe("the photos of the page", { skip: NOT_ALL, timeout: 240_000 }, () => {
  let service: TestService;
  let browser: TestBrowser;
  before(async () => {
    [service, browser] = await Promise.all([startTestService(), startBrowser()]);
  });
  after(() => Promise.all([browser?.close(), service?.close()]));

  async function withPhotos(count: number): Promise<TestClient> {
    const client = await service.person();
    for (let i = 0; i < count; i++) await client.upload(smallPhoto(20 + i, 30));
    return client;
  }

  /** Adds photos without files. */
  async function withRows(count: number): Promise<TestClient> {
    const client = await service.person();
    const { me } = await client.get("{ me { id } }");
    for (let first = 1; first <= count; first += 2010)
      await service.database.sql`
        insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
          storage_key, created_at)
        select gen_random_uuid(), ${me.id}, 'a.png', 'image/png', 1, 1, 1, i::text, 'photos/' || i,
          now() from generate_series(${first}::int, least(${count}::int, ${first}::int + 2009)) i`;
    return client;
  }

  it("arrive within a second in all windows when another client uploads them", async (t) => {
    const client = await withPhotos(1);
    const people = await Promise.all([
      browser.signIn(service.url, client.token),
      browser.signIn(service.url, client.token, { dark: true }),
      browser.signIn(service.url, client.token, { width: 390, height: 844 }),
    ]);
    for (const { page } of people) await page.locator(".tile img.is-there").waitFor();
    const started = Date.now();
    await client.upload(smallPhoto(90, 60));
    for (const { page } of people) await page.locator(".tile img.is-there").nth(1).waitFor();
    t.diagnostic(`${Date.now() - started} ms from the upload to all windows`);
    await Promise.all(people.map((person) => closeWindow(person)));
  });

  it("are selected by clicks, ranges, and all at once; a deletion can be undone", async () => {
    const client = await withPhotos(6);
    const person = await browser.signIn(service.url, client.token);
    const { page } = person;
    const selected = page.getByRole("toolbar", { name: "Selected photos" }).getByRole("status");
    await page.locator(".tile .choose").nth(1).click();
    await page
      .locator(".tile a")
      .nth(3)
      .click({ modifiers: ["Shift"] });
    assert.equal(await selected.textContent(), "3 photos selected");
    await page.getByRole("button", { name: "Select all 6" }).click();
    await page.locator(".tile .choose").nth(0).click();
    assert.equal(await selected.textContent(), "5 photos selected");
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("5 photos deleted").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    assert.equal(await page.locator(".tile.is-leaving").count(), 0);

    await page.locator(".tile .choose").nth(0).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await eventually("the photo is gone", async () => (await page.locator(".tile").count()) === 5);
    assert.equal((await client.get("{ photos { totalCount } }")).photos.totalCount, 5);
    await closeWindow(person);
  });

  it("are selected up to 10,000 at once, of any number", async () => {
    const client = await withRows(10_050);
    const person = await browser.signIn(service.url, client.token);
    const { page } = person;
    const selected = page.getByRole("toolbar", { name: "Selected photos" }).getByRole("status");
    await page.locator(".tile .choose").first().click();
    await page.getByRole("button", { name: "Select all 10,050" }).click();
    assert.equal(await selected.textContent(), "10,050 photos selected");
    await page.getByText("At most 10,000 are selected").waitFor({ timeout: 120_000 });
    assert.equal(await selected.textContent(), "10,000 photos selected");
    assert.ok((await page.locator(".tile").count()) < 200, "too many tiles are drawn");
    await page.getByRole("button", { name: "New job", exact: true }).click();
    await page.getByText("One group takes at most 500 photos: deselect 9,500.").waitFor();
    assert.equal(await page.getByRole("button", { name: /^Submit for/ }).isDisabled(), true);
    await closeWindow(person);
  });

  it("are read where the user stops, and not while they fly by", async () => {
    const person = await browser.signIn(service.url, (await withRows(10_050)).token);
    const { page } = person;
    await page.locator(".tile a").first().waitFor();
    let reads = 0;
    page.on("request", (request) => void (reads += Number(request.url().endsWith("/graphql"))));
    await page.evaluate(`(async () => {
      const box = document.querySelector(".photo-grid");
      for (let last = performance.now(), end = last + 1000; last < end; ) {
        const now = await new Promise(requestAnimationFrame);
        box.scrollTop += 10 * Math.max(0, now - last);
        last = Math.max(last, now);
      }
    })()`);
    assert.ok(reads <= 2, `${reads} requests were sent`);
    await page.locator(".tile a").first().waitFor();
    assert.ok(reads > 0, "nothing was read");
    await closeWindow(person);
  });

  it("are reached by keys alone, from the sign-in to a kept output", async () => {
    const client = await withPhotos(2);
    const person = await browser.signIn(service.url, client.token);
    const { page } = person;
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const tabTo = (selector: string) =>
      eventually(`${selector} has the focus`, async () => {
        await press("Tab");
        return page.locator(selector).and(page.locator(":focus")).isVisible();
      });
    await page.evaluate("sessionStorage.clear()");
    await page.reload();
    await page.getByRole("textbox", { name: "Token" }).waitFor();
    await tabTo("[type=password]");
    await page.keyboard.insertText(client.token);
    await press("Enter");
    await waitUntilLive(page);
    await page.locator(".tile img.is-there").nth(1).waitFor();
    await tabTo(".skip");
    await press("Enter");
    await page.locator(".tile a:focus").waitFor();
    await press("ArrowRight", "Enter");
    await page.getByRole("dialog").waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await press("ArrowLeft", "i", "i", "+", "0", "n");
    await page
      .getByRole("combobox", { name: "Job", exact: true })
      .and(page.locator(":focus"))
      .waitFor();
    await tabTo("[type=submit]");
    await press("Enter");
    await page.getByRole("button", { name: "Keep: 320w.webp" }).waitFor();
    await tabTo("[aria-label='Keep: 320w.webp']");
    await press("Enter");
    await page.getByRole("button", { name: "Kept in your photos: 320w.webp" }).waitFor();
    await closeWindow(person);
  });

  it("are there after few requests, and move nothing while the page loads", async (t) => {
    const client = await withPhotos(3);
    const person = await browser.signIn(service.url, client.token);
    const { page } = person;
    await page.addInitScript(
      "window.shift = 0; new PerformanceObserver((list) => { for (const { value } of " +
        "list.getEntries()) window.shift += value; }).observe({ type: 'layout-shift', " +
        "buffered: true })",
    );
    const asked: string[] = [];
    page.on("request", (request) => void asked.push(new URL(request.url()).pathname));
    await page.reload();
    await page.locator(".tile img.is-there").nth(2).waitFor();
    await waitUntilLive(page);
    const others = asked.filter((path) => !path.startsWith("/files/"));
    t.diagnostic(others.join(" "));
    assert.ok(others.length <= MAX_REQUESTS, `the page asked ${others.join(" ")}`);
    const shift = Number(await page.evaluate("window.shift"));
    assert.ok(shift < 0.05, `everything moved by ${shift}`);
    await closeWindow(person);
  });
});
