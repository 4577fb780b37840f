// Addresses of the page, in a real browser.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  closeWindow,
  NOT_ALL,
  startBrowser,
  waitUntilLive,
  type TestBrowser,
} from "../../support/clients/browser.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

describe("the addresses of the page", { skip: NOT_ALL, timeout: 120_000 }, () => {
  let service: TestService;
  let browser: TestBrowser;
  before(async () => {
    [service, browser] = await Promise.all([startTestService(), startBrowser()]);
  });
  after(() => Promise.all([browser?.close(), service?.close()]));

  it("follow a sign-in link that is pasted into an open tab, and keep no token", async () => {
    const [ann, bob] = [await service.person(), await service.person()];
    const { me } = await bob.get("{ me { name } }");
    const person = await browser.signIn(service.url, ann.token);
    const { page } = person;
    await page.evaluate(`location.hash = "token=${bob.token}"`);
    await page.getByRole("button", { name: `Account of ${me.name}` }).waitFor();
    assert.equal(page.url(), `${service.url}/`);
    await closeWindow(person);
  });

  it("lead back to a filter and to open details after a reload; Back closes these", async () => {
    const client = await service.person();
    const { id } = await client.finished(
      (await client.enqueue("echo", { failPermanently: true })).id,
    );
    await client.finished((await client.enqueue("echo")).id);
    const person = await browser.signIn(service.url, client.token, { view: "jobs" });
    const { page } = person;
    await page.getByRole("button", { name: /^Failed/ }).click();
    await page.locator(`[data-id="${id}"] .open`).click();
    assert.equal(page.url(), `${service.url}/?view=jobs&state=failed&job=${id}`);
    await page.reload();
    await page.getByRole("complementary", { name: "Selected job" }).waitFor();
    await page.locator(".job-row").waitFor();
    await page.goBack();
    await page.getByRole("complementary", { name: "Selected job" }).waitFor({ state: "hidden" });
    await page.goBack();
    await page.locator(".job-row").nth(1).waitFor();
    await closeWindow(person);
  });

  it("open a photo in a new tab, which other tabs sign in", async () => {
    const client = await service.person();
    await client.upload(smallPhoto());
    const person = await browser.signIn(service.url, client.token);
    const { page } = person;
    const tile = page.locator(".tile a");
    const address = new URL((await tile.getAttribute("href")) ?? "", service.url).href;
    const other = await page.context().newPage();
    await other.goto(address);
    await other.getByRole("dialog", { name: "photo.jpg" }).waitFor();
    await waitUntilLive(other);
    await other.keyboard.press("Escape");
    await other.locator(".tile a:focus").waitFor();
    await page.getByRole("button", { name: /^Account of/ }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await other.getByRole("textbox", { name: "Token" }).waitFor();
    await closeWindow(person);
  });
});
