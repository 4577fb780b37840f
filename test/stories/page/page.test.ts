// The page at /, in a real browser without access to other machines. Only the first test always
// runs; the others need LONG=1.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { accessibilityFaults, closeWindow, waitUntilLive } from "../../support/clients/browser.js";
import { NO_BROWSER } from "../../support/clients/chromium.js";
import { long } from "../../support/runner/long.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { PATIENT, usePage } from "./use-page.js";

describe("the page", { skip: NO_BROWSER }, () => {
  const site = usePage();

  it(
    "signs in by link, uploads, submits, shows the result, and loads nothing from outside",
    PATIENT,
    async () => {
      const { page, close } = await site.newcomer();
      assert.equal(page.url(), `${site.service.url}/`, "the token is still in the address");
      assert.equal(await page.getByRole("status", { name: "Connection" }).textContent(), "Live");

      await page.setInputFiles("input[type=file]", [
        { name: "ü one.png", mimeType: "image/png", buffer: smallPhoto(40, 30) },
      ]);
      const tile = (pressed: boolean) =>
        page.locator(".tile").getByRole("button", { name: "ü one.png", pressed });
      for (const pressed of [false, true, false]) await tile(pressed).click();
      await tile(true).waitFor();
      await page.getByRole("button", { name: "New job", exact: true }).click();
      await page.locator(".job-form summary", { hasText: "Settings" }).click();
      await page.getByRole("combobox", { name: "Job", exact: true }).selectOption("thumbnail");
      await page.getByRole("textbox", { name: "Widths" }).fill("16, 20");
      await page.getByRole("button", { name: "Submit for 1 photo" }).click();

      await page
        .getByRole("complementary", { name: "Selected job" })
        .getByRole("link", { name: "20w.webp", exact: true })
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
      assert.deepEqual(await accessibilityFaults(page), []);
      await page.getByRole("tab", { name: "Timeline" }).click();
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
    "passes axe in light and dark mode and on a phone, with running, failed and done jobs",
    { ...PATIENT, ...long },
    async () => {
      for (const options of [
        { dark: false },
        { dark: true },
        { dark: true, width: 390, height: 844 },
      ]) {
        const { client, page, close } = await site.newcomer({ ...options, view: "jobs" });
        await Promise.all([
          client.enqueue("echo", { durationMs: 30_000, steps: 100 }),
          client.enqueue("echo", { failPermanently: true }),
          client.enqueue("echo"),
        ]);
        await page.locator(".is-failed .open").click();
        await page.getByRole("tab", { name: "Timeline", selected: true }).waitFor();
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
    "asks to sign in again when the token has expired, and shows the reason",
    { ...PATIENT, ...long },
    async () => {
      const person = await site.browser.signIn(
        site.service.url,
        await site.service.token({}, { expiresIn: 3 }),
      );
      await person.page.getByRole("alert").filter({ hasText: /token/i }).waitFor();
      await person.page.getByRole("textbox", { name: "Token" }).waitFor();
      assert.equal(await person.page.evaluate("sessionStorage.length"), 0);
      await closeWindow(person, { but: /401/ });
    },
  );

  it(
    "forgets the token on sign-out, and shows an error for an invalid token",
    { ...PATIENT, ...long },
    async () => {
      const { page, close } = await site.newcomer();
      await page.getByRole("button", { name: /^Account of/ }).click();
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
        .fill(`${site.service.url}/#token=${await site.service.token()}`);
      await page.getByRole("button", { name: "Sign in" }).click();
      await waitUntilLive(page);
      await close({ but: /401/ });
    },
  );
});

it("the page loads at most 60 kB of compressed script and 12 kB of styles, in one file each", () => {
  const page = readFileSync("dist/console/index.html", "utf8");
  const sizesOf = (pattern: RegExp): number[] =>
    [...page.matchAll(pattern)].map(
      ([, path = ""]) => gzipSync(readFileSync(`dist/${path}`)).length,
    );
  const [script = 0, ...moreScripts] = sizesOf(/src="\/(console\/[^"]+\.js)"/g);
  const [style = 0, ...moreStyles] = sizesOf(/href="\/(console\/[^"]+\.css)"/g);
  assert.deepEqual([moreScripts, moreStyles], [[], []]);
  assert.ok(script > 1000 && script < 60_000, `the script has ${script} bytes`);
  assert.ok(style > 1000 && style < 12_000, `the styles have ${style} bytes`);
});
