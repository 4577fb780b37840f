// The page's list and details of jobs, in a real browser.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  closeWindow,
  NOT_ALL,
  startBrowser,
  type TestBrowser,
} from "../support/clients/browser.js";
import { noise } from "../imaging/noise.js";
import { eventually } from "../support/runner/eventually.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

const ROWS = 4000;

describe("the list of jobs", { skip: NOT_ALL }, () => {
  let service: TestService;
  let browser: TestBrowser;
  before(async () => {
    [service, browser] = await Promise.all([startTestService(), startBrowser()]);
  });
  after(() => Promise.all([browser?.close(), service?.close()]));

  it(
    "scrolls through 4,000 rows, draws only the visible ones, and stays live",
    { timeout: 180_000 },
    async (t) => {
      const client = await service.person();
      const { me } = await client.get("{ me { id } }");
      await service.database.sql`
      insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority, request_id,
        due_at, created_at, updated_at, status, finished_at, progress)
      select ('0190' || lpad(to_hex(i), 28, '0'))::uuid, ${me.id}, 'echo', '{}', 0, 0, 'seed',
        now(), now(), now(), 'SUCCESS', now(), 1 from generate_series(1, ${ROWS}::int) i`;
      const person = await browser.signIn(service.url, client.token, { view: "jobs" });
      const { page } = person;
      await page.evaluate(
        "window.slowest = 0; new PerformanceObserver((list) => { for (const { duration } " +
          "of list.getEntries()) window.slowest = Math.max(window.slowest, duration); " +
          "}).observe({ type: 'longtask', buffered: false })",
      );
      const started = Date.now();
      const last = page.locator(`[aria-posinset="${ROWS}"]`);
      await eventually(
        "the last row is in sight",
        async () => {
          await page.locator(".job-rows").evaluate((list) => {
            list.scrollTop = list.scrollHeight;
          });
          return (await last.count()) === 1;
        },
        150_000,
      );
      const drawn = await page.locator(".job-row").count();
      t.diagnostic(
        `${Date.now() - started} ms to the last row, ${drawn} rows drawn, slowest task ` +
          `${await page.evaluate("window.slowest")} ms`,
      );
      assert.ok(drawn < 80, `${drawn} rows are drawn`);
      assert.equal(await last.getAttribute("aria-setsize"), String(ROWS));

      await page.locator(".job-rows").evaluate((list) => {
        list.scrollTop = 0;
      });
      const { id } = await client.enqueue("echo");
      await page
        .locator(`[data-id="${id}"][aria-posinset="1"] .status`, { hasText: "Done" })
        .waitFor();
      await closeWindow(person);
    },
  );

  it(
    "shows a job's place in the queue and its estimated start",
    { timeout: 120_000 },
    async (t) => {
      const narrow = await startTestService({
        env: { WORKER_CONCURRENCY: "1", WORKER_TASKS: "1" },
      });
      t.after(() => narrow.close());
      const client = await narrow.person();
      const ids: string[] = [];
      for (let i = 0; i < 5; i++)
        ids.push((await client.enqueue("echo", { durationMs: 600_000 })).id);
      const person = await browser.signIn(narrow.url, client.token, { view: "jobs" });
      const last = person.page.locator(`[data-id="${ids.at(-1)}"] .standing`);
      await last.filter({ hasText: /^3 ahead · about \d/ }).waitFor();
      await client.get("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", { id: ids[0] });
      await last.filter({ hasText: /^2 ahead · about \d/ }).waitFor();
      await closeWindow(person);
    },
  );

  it("moves between rows with the arrow keys, and closes the details with Escape", async () => {
    const client = await service.person();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.unshift((await client.enqueue("echo", { message: i })).id);
    const person = await browser.signIn(service.url, client.token, { view: "jobs" });
    const { page } = person;
    await page.locator(`[data-id="${ids[0]}"] .open`).press("Enter");
    for (const key of ["ArrowDown", "ArrowDown", "ArrowUp"]) {
      await page.keyboard.press(key);
      await page.locator(".open[aria-current=true]:focus").waitFor();
    }
    assert.equal(await page.locator("li:has([aria-current=true])").getAttribute("data-id"), ids[1]);
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("[aria-current=true]").count(), 0);
    await closeWindow(person);
  });

  it("shows that an open job was deleted in another window", async () => {
    const client = await service.person();
    const { id } = await client.finished((await client.enqueue("echo")).id);
    const person = await browser.signIn(service.url, client.token, { view: "jobs" });
    await person.page.locator(`[data-id="${id}"] .open`).click();
    await person.page.getByRole("tab", { name: "Timeline" }).waitFor();
    await client.get("mutation ($id: ID!) { deleteQueuedJob(id: $id) }", { id });
    await person.page.getByText("This job was deleted.").waitFor();
    await closeWindow(person);
  });

  it("covers a phone's screen with the details, and moves the focus there and back", async () => {
    const client = await service.person();
    const { id } = await client.finished((await client.enqueue("echo")).id);
    const person = await browser.signIn(service.url, client.token, {
      width: 390,
      height: 844,
      view: "jobs",
    });
    const { page } = person;
    await page.locator(`[data-id="${id}"] .open`).click();
    await page.locator("aside button:focus").waitFor();
    assert.equal(await page.locator(`[data-id="${id}"] .open`).isVisible(), false);
    assert.equal(
      await page.evaluate("document.documentElement.scrollWidth <= innerWidth"),
      true,
      "the page is wider than the phone",
    );
    await page.keyboard.press("Escape");
    await page.locator(`[data-id="${id}"] .open:focus`).waitFor();
    await closeWindow(person);
  });

  it("shows the operation that it sends, and repeats it after a lost response", async () => {
    const client = await service.person();
    const person = await browser.signIn(service.url, client.token, { view: "jobs" });
    const { page } = person;
    await page.getByRole("button", { name: "New job without a photo" }).click();
    await page.getByRole("combobox", { name: "Job", exact: true }).selectOption("echo");
    await page.locator(".job-form summary", { hasText: "Settings" }).click();
    await page.getByRole("textbox", { name: "Message" }).fill("hello");
    await page.locator(".job-form .as-graphql summary").click();
    const [query = "", variables = ""] = (
      await page.locator(".job-form .as-graphql code").innerText()
    ).split("# variables");
    const sent: { query: string; variables: object }[] = [];
    await page.route("**/graphql", async (route) => {
      const body = route.request().postDataJSON() as { query: string; variables: object };
      if (!body.query.startsWith("mutation")) return route.fallback();
      sent.push(body);
      await route.fetch();
      return sent.length === 1 ? route.abort() : route.fallback();
    });
    for (let i = 0; i < 2; i++) {
      await page.getByRole("button", { name: "Submit" }).click();
      if (i === 0) await page.getByRole("alert").waitFor();
      else await page.getByRole("complementary", { name: "Selected job" }).waitFor();
    }
    await page.locator(".job-row .status", { hasText: "Done" }).waitFor();
    assert.deepEqual(
      sent,
      [1, 2].map(() => ({ query: query.trim(), variables: JSON.parse(variables) as object })),
    );
    assert.equal((await client.get("{ queuedJobs { totalCount } }")).queuedJobs.totalCount, 1);
    await closeWindow(person, { but: /ERR_FAILED/ });
  });

  it("runs a contact sheet again without a photo that cannot be read, or with another", async () => {
    const client = await service.person();
    const cut = (await noise(90, 60).jpeg().toBuffer()).subarray(0, 1500);
    const photoIds = await Promise.all(
      [cut, smallPhoto(40, 30)].map(async (photo) => (await client.upload(photo)).json["id"]),
    );
    const { id } = await client.enqueue("contact-sheet", { cellWidth: 32 }, { photoIds });
    await client.finished(id);
    const person = await browser.signIn(service.url, client.token, { view: "jobs" });
    const { page } = person;
    await page.locator(`[data-id="${id}"] .open`).click();
    const details = page.getByRole("complementary", { name: "Selected job" });
    await details.getByRole("button", { name: "Retry" }).waitFor({ state: "detached" });
    await details.getByRole("button", { name: "Run without unreadable photos" }).click();
    await details
      .locator(".warning", { hasText: /^photo 1: photo.jpg was left out: The photo is/ })
      .waitFor();
    await details.locator(".outputs img").waitFor();
    await page.locator(`[data-id="${id}"] .open`).click();
    await details.getByRole("button", { name: "Replace photo…" }).click();
    await page.getByText("1 photo selected").waitFor();
    const form = page.getByRole("complementary", { name: "New job" });
    assert.equal(await form.getByLabel("Job", { exact: true }).inputValue(), "contact-sheet");
    await form.locator("summary", { hasText: "cell width 32" }).waitFor();
    await closeWindow(person);
  });

  it("shows the jobs that pass the filter, and drops a job that stops passing it", async () => {
    const client = await service.person();
    await client.finished((await client.enqueue("echo", { failPermanently: true })).id);
    const running = await client.enqueue("echo", { durationMs: 60_000 });
    const person = await browser.signIn(service.url, client.token, { view: "jobs" });
    const { page } = person;
    const shown = () => page.locator(".job-row .status").allTextContents();
    await page.getByRole("button", { name: /^Failed/ }).click();
    await eventually(
      "only the failed job is shown",
      async () => (await shown()).join() === "Failed",
    );
    await page.getByRole("button", { name: /^Running/ }).click();
    await page
      .locator(`[data-id="${running.id}"]`)
      .getByRole("button", { name: "Cancel Echo" })
      .click();
    await page.getByText("No jobs match these filters.").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await eventually("both are shown", async () => (await shown()).join() === "Cancelled,Failed");
    await closeWindow(person);
  });
});
