// The admin pages in a real browser that can only reach this machine.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import {
  accessibilityFaults,
  closeWindow,
  NOT_ALL,
  startBrowser,
  type PersonAtPage,
  type TestBrowser,
} from "../../support/clients/browser.js";
import { eventually } from "../../support/runner/eventually.js";
import { ADMIN_PASSWORD } from "../../support/clients/operator-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { smallPhoto } from "../../support/service/small-photo.js";

const SLOW = { timeout: 60_000 };
const PHONE = { width: 390, height: 844 };

describe("the admin pages in a browser", { skip: NOT_ALL }, () => {
  let operated: TestService;
  let browser: TestBrowser;
  let url: string;
  let retried: string;
  let placed: string;
  before(async () => {
    [operated, browser] = await Promise.all([
      startTestService({ operated: true, workers: 1, env: { ADMIN_ACTIONS: "true" } }),
      startBrowser(),
    ]);
    url = operated.url;
    const ann = await operated.person({ email: "ann@example.test" });
    const photo = (
      await ann.upload(smallPhoto(60, 40), {
        type: "image/png",
        filename: "a picture with a rather long name.png",
      })
    ).json as { id: string };
    retried = (await ann.enqueue("echo", { failAttempts: 1, message: "words ".repeat(100) })).id;
    placed = (await ann.enqueue("placeholder", {}, { photoIds: [photo.id] })).id;
    const failed = await ann.enqueue("echo", { failPermanently: true });
    for (const id of [retried, placed, failed.id]) await ann.finished(id, 30_000);
  });
  after(() => Promise.all([browser?.close(), operated?.close()]));

  const pagePaths = () => [
    "/admin/jobs",
    "/admin/jobs?job=echo&from=2026-01-01T00:00&refresh=60",
    "/admin/operations",
    "/admin/operations/new?action=DELETE&status=FAILED",
    "/admin/audit",
    `/admin/jobs/${retried}`,
    `/admin/jobs/${placed}`,
    "/admin/jobs/nothing",
    "/admin/workers",
    "/admin/pauses",
    "/admin/webhooks",
    "/admin/db",
    "/admin/db/queued_jobs",
    "/admin/db/users",
  ];

  /** Asserts that the page does not scroll sideways. */
  async function assertFits(page: PersonAtPage["page"], path: string): Promise<void> {
    const [content, window] = (await page.evaluate(
      "[document.documentElement.scrollWidth, innerWidth]",
    )) as [number, number];
    assert.ok(content <= window, `${path} is ${content} wide in a window of ${window}`);
  }

  /** Moves the focus with the Tab key to the element whose name matches, and presses Enter. */
  async function pressByKeyboard(page: PersonAtPage["page"], name: string): Promise<void> {
    const target = page.getByRole("button", { name, exact: true });
    await eventually(`the focus is on ${name}`, async () => {
      await page.keyboard.press("Tab");
      return (await target.and(page.locator(":focus")).count()) === 1;
    });
    await page.keyboard.press("Enter");
  }

  async function assertAccessible(options: Parameters<TestBrowser["operate"]>[2]): Promise<void> {
    const operator = await browser.operate(url, ADMIN_PASSWORD, options);
    for (const path of pagePaths()) {
      await operator.page.goto(`${url}${path}`);
      await assertFits(operator.page, path);
      assert.deepEqual(await accessibilityFaults(operator.page), [], path);
    }
    await operator.page.goto(`${url}/admin/queues`);
    await operator.page.getByText("tasks-in-worker").first().waitFor();
    await assertFits(operator.page, "the dashboard");
    // The browser logs the 404 of the unknown job.
    await closeWindow(operator, { but: /404/ });
  }

  it("fit a phone, load nothing from other hosts and pass axe", SLOW, () =>
    assertAccessible(PHONE),
  );
  it("do so also on a desktop and in dark mode", SLOW, async () => {
    await assertAccessible({});
    await assertAccessible({ dark: true });
    await assertAccessible({ ...PHONE, dark: true });
  });

  it("pause and resume a Job, and drain a worker, by keyboard alone", SLOW, async () => {
    const operator = await browser.operate(url, ADMIN_PASSWORD, PHONE);
    const { page } = operator;
    await page.goto(`${url}/admin/pauses`);
    await pressByKeyboard(page, "Pause this Job");
    const resume = page.getByRole("button", { name: /^Resume / });
    await resume.waitFor();
    await pressByKeyboard(page, (await resume.getAttribute("aria-label")) ?? "");
    await page.getByText("Nothing is paused.").waitFor();
    await page.getByLabel("User: e-mail or id").fill("someone@example.test");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "No user has the e-mail address" }).waitFor();
    await page.goto(`${url}/admin/workers`);
    const label = await page.getByRole("button").getAttribute("aria-label");
    await pressByKeyboard(page, label ?? "");
    await page.getByRole("button", { name: /^Take work again: / }).waitFor();
    await pressByKeyboard(page, (label ?? "").replace("Drain", "Take work again"));
    await page.getByRole("button", { name: /^Drain: / }).waitFor();
    await closeWindow(operator, { but: /404/ });
  });

  it("lead from a search by e-mail to a job, and to all jobs of its user", SLOW, async () => {
    const operator = await browser.operate(url, ADMIN_PASSWORD, PHONE);
    const { page } = operator;
    await page.goto(`${url}/admin/jobs`);
    await page.getByLabel("User: e-mail or id").fill("ANN@example.test");
    await page.getByLabel("State").selectOption("FAILED");
    await page.getByRole("button", { name: "Search" }).click();
    assert.deepEqual(await page.locator(".status").allTextContents(), ["FAILED"]);
    await page.getByLabel("State").selectOption("");
    await page.getByRole("textbox", { name: "Id", exact: true }).fill(retried);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: `echo ${retried}` }).waitFor();
    assert.deepEqual(await page.locator("td.status").allTextContents(), [
      "QUEUED",
      "STARTED",
      "RETRYING",
      "STARTED",
      "SUCCEEDED",
    ]);
    await page.getByRole("link", { name: "ann@example.test" }).click();
    assert.equal(await page.locator("td .status").count(), 3);
    await closeWindow(operator);
  });

  it("open the photos of a job", SLOW, async () => {
    const operator = await browser.operate(url, ADMIN_PASSWORD);
    const { page } = operator;
    await page.goto(`${url}/admin/jobs/${placed}`);
    const link = page.getByRole("link", { name: "a picture with a rather long name.png" });
    const address = new URL((await link.getAttribute("href")) ?? "", url).href;
    const answer = await page.request.get(address);
    assert.deepEqual([answer.status(), answer.headers()["content-type"]], [200, "image/png"]);
    await closeWindow(operator);
  });

  it("show SQL results as table and file, long values and refusals", SLOW, async () => {
    const operator = await browser.operate(url, ADMIN_PASSWORD);
    const { page } = operator;
    await page.goto(`${url}/admin/db`);
    const ask = async (sql: string, button: string) => {
      await page.getByRole("textbox", { name: /SQL/ }).fill(sql);
      await page.getByRole("button", { name: button }).click();
    };
    await ask("select parameters, status from queued_jobs where attempts = 2", "Run");
    await page
      .getByRole("status")
      .filter({ hasText: /^1 row\. \d+ ms\.$/ })
      .waitFor();
    await page.getByRole("group").click();
    assert.ok((await page.locator("details[open]").innerText()).length > 500);
    const downloading = page.waitForEvent("download");
    await ask("select email, '=1+1' as formula from users", "Download as CSV");
    const file = await downloading;
    assert.deepEqual(
      [file.suggestedFilename(), readFileSync(await file.path(), "utf8")],
      ["query.csv", "email,formula\r\nann@example.test,'=1+1\r\n"],
    );
    await page.getByRole("textbox", { name: /SQL/ }).fill("select 1 as one");
    await page.keyboard.press("Control+Enter");
    await page.waitForURL(`${url}/admin/db?sql=select+1+as+one`);
    await page.getByRole("columnheader", { name: "one" }).waitFor();
    await ask("select 1; drop table users", "Run");
    await page.getByRole("alert").filter({ hasText: "Only one statement is allowed" }).waitFor();
    assert.equal(
      await page.getByRole("textbox", { name: /SQL/ }).inputValue(),
      "select 1; drop table users",
    );
    await closeWindow(operator, { but: /400/ });
  });

  it("retry all that match by keyboard only, and show what was done", SLOW, async () => {
    const operator = await browser.operate(url, ADMIN_PASSWORD, PHONE);
    const { page } = operator;
    const press = async (name: string) => {
      await page.getByRole("button", { name }).focus();
      await page.keyboard.press("Enter");
    };
    await page.goto(`${url}/admin/jobs?code=TASK_FAILED&status=FAILED`);
    await press("Retry all that match…");
    await page.getByRole("heading", { name: "Confirm the operation" }).waitFor();
    await press("Retry 1 job");
    await page.getByText(/Retry: 1 of 1 job done/).waitFor();
    await page.getByText("FINISHED").waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await assertFits(page, "the operation");
    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByRole("rowheader", { name: "retry jobs" }).waitFor();
    await page.getByRole("link", { name: "operation", exact: true }).click();
    await page.getByRole("heading", { name: "Operation", exact: true }).waitFor();
    await closeWindow(operator);
  });

  it("refuse a wrong password", SLOW, async () => {
    const stranger = await browser.operate(url, "a wrong password");
    assert.equal((await stranger.page.goto(`${url}/admin/db`))?.status(), 401);
    assert.doesNotMatch(await stranger.page.content(), /queued_jobs/);
    await closeWindow(stranger, { but: /401/ });
  });
});
