import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { accessibilityFaults } from "../../support/clients/browser.js";
import { NO_BROWSER } from "../../support/clients/chromium.js";
import { long } from "../../support/runner/long.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { PATIENT, usePage } from "./use-page.js";

describe("the form of the page", { skip: NO_BROWSER || long.skip }, () => {
  const site = usePage();

  it(
    "reports a duplicate photo, and shows why a file is refused until it is dismissed",
    { ...PATIENT, ...long },
    async () => {
      const { page, close } = await site.newcomer();
      const photo = { name: "a.png", mimeType: "image/png", buffer: smallPhoto() };
      await page.setInputFiles("input[type=file]", [photo]);
      await page.locator(".tile").getByRole("button", { name: "a.png" }).waitFor();
      await page.setInputFiles("input[type=file]", [
        photo,
        { name: "b.svg", mimeType: "image/svg+xml", buffer: Buffer.from("<svg/>") },
      ]);
      await page.getByText("already uploaded").waitFor();
      const refusal = page.locator(".uploads li", { hasText: "b.svg" });
      await refusal.getByRole("alert").waitFor();
      assert.match(await refusal.getByRole("alert").innerText(), /JPEG|format|photo/i);
      assert.equal(await refusal.getByRole("button", { name: /^Retry/ }).count(), 0);
      await refusal.getByRole("button", { name: "Dismiss b.svg" }).click();
      assert.equal(await refusal.count(), 0);
      assert.equal(await page.locator(".tile").count(), 1);
      await close({ but: /415/ });
    },
  );

  it(
    "shows each fault at its field, and removes it when the field is corrected",
    { ...PATIENT, ...long },
    async () => {
      const { page, close } = await site.newcomer({ view: "jobs" });
      await page.getByRole("button", { name: "New job without a photo" }).click();
      await page.getByRole("combobox", { name: "Job", exact: true }).selectOption("echo");
      await page.locator(".job-form summary", { hasText: "Settings" }).click();
      const field = page.getByRole("textbox", { name: "Duration (ms)" });
      const faults = page.locator(".field .fault");
      const submit = page.getByRole("button", { name: "Submit" });
      for (const [typed, fault] of [
        ["600001", "Must be 600000 or less."],
        ["soon", "Must be a number."],
      ] as const) {
        await field.fill(typed);
        assert.equal(await faults.count(), 0, "the fault stays while the field is corrected");
        await submit.click();
        await faults.filter({ hasText: fault }).waitFor();
        await field.and(page.locator(":focus[aria-invalid=true]")).waitFor();
        assert.match(
          await page.locator(`#${await field.getAttribute("aria-describedby")}`).innerText(),
          new RegExp(`${fault}[^]*Duration of the job`),
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
});
