import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closeWindow } from "../../support/clients/browser.js";
import { NO_BROWSER } from "../../support/clients/chromium.js";
import { eventually } from "../../support/runner/eventually.js";
import { long } from "../../support/runner/long.js";
import { createTcpProxy } from "../../support/stores/tcp-proxy.js";
import { PATIENT, usePage } from "./use-page.js";

describe("the live list of the page", { skip: NO_BROWSER }, () => {
  const site = usePage();

  it(
    "goes on behind a cut that it made itself, and says how many events were missed, all " +
      "of them delivered",
    { ...PATIENT, ...long },
    async () => {
      const { client, page, close } = await site.newcomer();
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
      const cuttable = await createTcpProxy(site.service.url);
      t.after(() => cuttable.close());
      const client = await site.service.person();
      const person = await site.browser.signIn(new URL(cuttable.url).origin, client.token);
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
      const { client, page, close } = await site.newcomer();
      await client.finished((await client.enqueue("echo")).id);
      await page.locator(".job-row .status", { hasText: "Done" }).waitFor();
      await page.getByRole("button", { name: "Pull the plug" }).click();
      await client.finished((await client.enqueue("echo", { failPermanently: true })).id);
      const { me } = await client.get("{ me { id } }");
      await site.service.database
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
      const [ann, bob] = await Promise.all([site.newcomer(), site.newcomer()]);
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
      const { client, page, close } = await site.newcomer();
      const second = await site.browser.signIn(site.service.url, client.token);
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
});
