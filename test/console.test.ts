// The page at /, in a real browser whose network ends at this machine. One story always; all the
// others are long.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import {
  accessibilityFaults,
  closeWindow,
  startBrowser,
  type PersonAtPage,
  type TestBrowser,
} from "./support/clients/browser.js";
import { NO_BROWSER } from "./support/clients/chromium.js";
import { eventually } from "./support/runner/eventually.js";
import { long } from "./support/runner/long.js";
import { smallPhoto } from "./support/service/small-photo.js";
import { createTcpProxy } from "./support/stores/tcp-proxy.js";
import { startTestService, type TestService } from "./support/service/test-service.js";

const PATIENT = { timeout: 60_000 };

describe("the page", { skip: NO_BROWSER }, () => {
  let service: TestService;
  let browser: TestBrowser;
  before(async () => {
    [service, browser] = await Promise.all([startTestService(), startBrowser()]);
  });
  after(() => Promise.all([browser?.close(), service?.close()]));

  /** Somebody new, signed in; `close` also says that nothing went wrong in the page. */
  async function newcomer(options: Parameters<TestBrowser["signIn"]>[2] = {}) {
    const client = await service.person();
    const person = await browser.signIn(service.url, client.token, options);
    return {
      client,
      ...person,
      close: (allowed?: { but: RegExp }) => closeWindow(person, allowed),
    };
  }

  it(
    "signs in by the link, uploads, submits and shows the result, and loads nothing from outside",
    PATIENT,
    async () => {
      const { page, close } = await newcomer();
      assert.equal(page.url(), `${service.url}/`, "the token is still in the address");
      assert.equal(await textOf(page, "Connection"), "Live");

      await page.setInputFiles("input[type=file]", [
        { name: "ü one.png", mimeType: "image/png", buffer: smallPhoto(40, 30) },
      ]);
      const tile = (pressed: boolean) => page.getByRole("button", { name: "ü one.png", pressed });
      // What was uploaded is chosen: a click takes it out, and another one puts it in again.
      for (const pressed of [true, false]) await tile(pressed).click();
      await tile(true).waitFor();
      await page.getByRole("combobox", { name: "Job", exact: true }).selectOption("thumbnail");
      await page.getByRole("textbox", { name: "Widths" }).fill("16, 20");
      await page.getByRole("button", { name: "Submit for 1 photo" }).click();

      await page
        .getByRole("complementary", { name: "Chosen job" })
        .getByRole("link", { name: "20w.webp" })
        .waitFor();
      const sizes = await page.locator(".outputs img").evaluateAll((images) =>
        Promise.all(
          images.map(async (image) => {
            const picture = image as unknown as {
              complete: boolean;
              naturalWidth: number;
              decode(): Promise<void>;
            };
            await picture.decode();
            return picture.naturalWidth;
          }),
        ),
      );
      assert.deepEqual(sizes, [16, 20]);
      assert.deepEqual(await page.locator(".timeline strong").allTextContents(), [
        "Queued",
        "Started",
        "Succeeded",
      ]);
      assert.deepEqual(await page.locator(".job-row .status").allTextContents(), ["Done"]);
      assert.deepEqual(await accessibilityFaults(page), []);
      await close();
    },
  );

  it(
    "says of a photo that it is already here, and of a file that is none why, which " +
      "stays until it is dismissed",
    { ...PATIENT, ...long },
    async () => {
      const { page, close } = await newcomer();
      const photo = { name: "a.png", mimeType: "image/png", buffer: smallPhoto() };
      await page.setInputFiles("input[type=file]", [photo]);
      await page.getByRole("button", { name: "a.png" }).waitFor();
      await page.setInputFiles("input[type=file]", [
        photo,
        { name: "b.svg", mimeType: "image/svg+xml", buffer: Buffer.from("<svg/>") },
      ]);
      await page.getByText("already here").waitFor();
      const refusal = page.locator(".uploads li", { hasText: "b.svg" });
      await refusal.getByRole("alert").waitFor();
      assert.match(await refusal.getByRole("alert").innerText(), /JPEG|format|photo/i);
      await refusal.getByRole("button", { name: "Retry b.svg" }).click();
      await refusal.getByRole("alert").waitFor();
      await refusal.getByRole("button", { name: "Dismiss b.svg" }).click();
      assert.equal(await refusal.count(), 0);
      assert.equal(await page.locator(".photo-grid li").count(), 1);
      await close({ but: /415/ });
    },
  );

  it(
    "shows what the service finds wrong at the field it is about, and lets it be mended",
    { ...PATIENT, ...long },
    async () => {
      const { page, close } = await newcomer();
      await page.getByRole("combobox", { name: "Job", exact: true }).selectOption("echo");
      const field = page.getByRole("textbox", { name: "Duration ms" });
      const faults = page.locator(".field .fault");
      const submit = page.getByRole("button", { name: "Submit" });
      for (const [typed, fault] of [
        ["600001", "Must be 600000 or less."],
        ["soon", "Must be a number."],
      ] as const) {
        await field.fill(typed);
        assert.equal(await faults.count(), 0, "the fault stays while it is mended");
        await submit.click();
        await faults.filter({ hasText: fault }).waitFor();
        await field.and(page.locator(":focus[aria-invalid=true]")).waitFor();
        assert.match(
          await page.locator(`#${await field.getAttribute("aria-describedby")}`).innerText(),
          new RegExp(`${fault}[^]*How long it takes`),
        );
      }
      await field.fill("0");
      await page.locator(".job-form summary", { hasText: "More" }).click();
      await page.getByRole("textbox", { name: "Priority" }).fill("1.5");
      await page.locator(".job-form summary", { hasText: "More" }).click();
      await submit.click();
      await page
        .getByRole("textbox", { name: "Priority" })
        .and(page.locator(":focus[aria-invalid=true]"))
        .waitFor();
      assert.deepEqual(await faults.allTextContents(), ["Must be a whole number."]);
      assert.deepEqual(await accessibilityFaults(page), []);
      await page.getByRole("textbox", { name: "Priority" }).fill("1");
      await submit.click();
      await page.locator(".job-row .status", { hasText: "Done" }).waitFor();
      assert.equal(await page.locator("[aria-invalid]").count(), 0);
      await close({ but: /400/ });
    },
  );

  it(
    "goes on behind a cut that it made itself, and says how many events were missed, all " +
      "of them delivered",
    { ...PATIENT, ...long },
    async () => {
      const { client, page, close } = await newcomer();
      // Told before the cut, and so not to be told again.
      await client.enqueue("echo");
      await page.locator(".job-row .status", { hasText: "Done" }).waitFor();
      await page.getByRole("button", { name: "Pull the plug" }).click();
      await page.getByText("Unplugged: showing what was known at").waitFor();
      const [first, second] = [
        await client.enqueue("echo"),
        await client.enqueue("echo", { failPermanently: true }),
      ];
      await Promise.all([client.finished(first.id), client.finished(second.id)]);
      assert.equal(await page.locator(".job-row").count(), 1, "it was not cut at all");

      await page.getByRole("button", { name: "Plug in again" }).click();
      await page.getByText("6 missed events, all delivered, 0 lost, 0 twice").waitFor();
      assert.deepEqual(await page.locator(".job-row .status").allTextContents(), [
        "Failed",
        "Done",
        "Done",
      ]);
      await client.enqueue("echo");
      await eventually(
        "the stream goes on",
        async () =>
          (await page.locator(".job-row .status").allTextContents()).join() ===
          "Done,Failed,Done,Done",
      );
      await close();
    },
  );

  it(
    "comes back by itself from a cut that it did not make, however often nobody " +
      "answered, or somebody who then said nothing",
    { ...PATIENT, ...long },
    async (t) => {
      const cuttable = await createTcpProxy(service.url);
      t.after(() => cuttable.close());
      const client = await service.person();
      const person = await browser.signIn(new URL(cuttable.url).origin, client.token);
      cuttable.down();
      await person.page.getByText("Reconnecting: showing what was known at").waitFor();
      await client.finished((await client.enqueue("echo")).id);
      await eventually(
        "it was tried in vain",
        () => person.errors.filter((error) => error.includes("ERR_CONNECTION_REFUSED")).length >= 2,
      );
      const silent = person.page.waitForEvent("websocket");
      cuttable.up();
      cuttable.freeze();
      await silent;
      await new Promise((resolve) => {
        person.page.once("websocket", resolve);
      });
      cuttable.heal();
      await person.page.getByText("3 missed events, all delivered, 0 lost, 0 twice").waitFor();
      await closeWindow(person, { but: /WebSocket connection/ });
    },
  );

  it(
    "reads the list anew where the stream cannot be resumed any more, and goes on",
    { ...PATIENT, ...long },
    async () => {
      const { client, page, close } = await newcomer();
      await client.finished((await client.enqueue("echo")).id);
      await page.locator(".job-row .status", { hasText: "Done" }).waitFor();
      await page.getByRole("button", { name: "Pull the plug" }).click();
      await client.finished((await client.enqueue("echo", { failPermanently: true })).id);
      const { me } = await client.get("{ me { id } }");
      await service.database
        .sql`update user_streams set floor_seq = last_seq where user_id = ${me.id}`;
      await page.getByRole("button", { name: "Plug in again" }).click();
      await eventually(
        "the list was read anew",
        async () =>
          (await page.locator(".job-row .status").allTextContents()).join() === "Failed,Done",
      );
      await client.enqueue("echo");
      await eventually(
        "the stream goes on",
        async () =>
          (await page.locator(".job-row .status").allTextContents()).join() === "Done,Failed,Done",
      );
      await close();
    },
  );

  it(
    "shows each of two people in two windows what is theirs, and nothing of the other",
    { ...PATIENT, ...long },
    async () => {
      const [ann, bob] = await Promise.all([newcomer(), newcomer()]);
      const [hers, his] = [await ann.client.enqueue("echo"), await bob.client.enqueue("echo")];
      for (const { page, id } of [
        { page: ann.page, id: hers.id },
        { page: bob.page, id: his.id },
      ]) {
        await page.locator(`[data-id="${id}"] .status`, { hasText: "Done" }).waitFor();
        assert.equal(await page.locator(".job-row").count(), 1);
      }
      await Promise.all([ann.close(), bob.close()]);
    },
  );

  it(
    "follows a job through progress, cancel, retry and delete, in every window of its owner",
    { ...PATIENT, ...long },
    async () => {
      const { client, page, close } = await newcomer();
      const second = await browser.signIn(service.url, client.token);
      const { id } = await client.enqueue("echo", { durationMs: 60_000, steps: 600 });
      const rows = [page, second.page].map((window) => window.locator(`[data-id="${id}"]`));
      const [row] = rows;
      assert.ok(row);
      for (const each of rows) await each.getByText(/Running [1-9]/).waitFor();
      assert.ok(Number(await row.getByRole("progressbar").getAttribute("value")) > 0);
      await row.getByRole("button", { name: "Cancel Echo" }).click();
      for (const each of rows) await each.getByText("Cancelled").waitFor();
      await row.getByRole("button", { name: "Retry Echo" }).click();
      for (const each of rows) await each.getByText(/Running/).waitFor();
      await row.getByRole("button", { name: "Cancel Echo" }).click();
      await row.getByRole("button", { name: "Delete Echo" }).click();
      for (const each of rows) await each.waitFor({ state: "detached" });
      await second.page.close();
      await close();
    },
  );

  it(
    "has no fault that axe finds, light and dark, with jobs of all kinds, on a phone too",
    { ...PATIENT, ...long },
    async () => {
      for (const options of [
        { dark: false },
        { dark: true },
        { dark: true, width: 390, height: 844 },
      ]) {
        const { client, page, close } = await newcomer(options);
        await Promise.all([
          client.enqueue("echo", { durationMs: 30_000, steps: 100 }),
          client.enqueue("echo", { failPermanently: true }),
          client.enqueue("echo"),
        ]);
        await page.locator(".is-failed .open").click();
        await page.getByRole("heading", { name: "Timeline" }).waitFor();
        await page
          .locator("details")
          .evaluateAll((all) => all.forEach((one) => one.setAttribute("open", "")));
        await page.locator(".timeline .fault").waitFor();
        assert.deepEqual(await accessibilityFaults(page), []);
        await close();
      }
    },
  );

  it(
    "asks to sign in again once the token has expired, and says why",
    { ...PATIENT, ...long },
    async () => {
      const person = await browser.signIn(service.url, await service.token({}, { expiresIn: 3 }));
      await person.page.getByRole("alert").filter({ hasText: /token/i }).waitFor();
      await person.page.getByRole("textbox", { name: "Token" }).waitFor();
      assert.equal(await person.page.evaluate("sessionStorage.length"), 0);
      await closeWindow(person, { but: /401/ });
    },
  );

  it(
    "signs out when told to, and forgets the token; a token that does not hold is told as that",
    { ...PATIENT, ...long },
    async () => {
      const { page, close } = await newcomer();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("textbox", { name: "Token" }).waitFor();
      assert.deepEqual(await accessibilityFaults(page), []);
      await page.reload();
      await page.getByRole("textbox", { name: "Token" }).fill("no token");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("alert").filter({ hasText: /token/i }).waitFor();
      assert.equal(await page.evaluate("sessionStorage.length"), 0);
      await page
        .getByRole("textbox", { name: "Token" })
        .fill(`${service.url}/#token=${await service.token()}`);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("button", { name: "Pull the plug" }).waitFor();
      await close({ but: /401/ });
    },
  );
});

it("needs under 40 kB of script to begin with, compressed", () => {
  const page = readFileSync("dist/console/index.html", "utf8");
  const scripts = [...page.matchAll(/src="\/(console\/[^"]+\.js)"/g)].map(([, path = ""]) =>
    readFileSync(`dist/${path}`),
  );
  const size = scripts.reduce((sum, script) => sum + gzipSync(script).length, 0);
  assert.ok(size > 1000 && size < 40_000, `it is ${size} bytes`);
});

async function textOf(page: PersonAtPage["page"], name: string): Promise<string | null> {
  return page.getByRole("status", { name }).textContent();
}
