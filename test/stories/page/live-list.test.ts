import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closeWindow, goOffline } from "../../support/clients/browser.js";
import { NO_BROWSER } from "../../support/clients/chromium.js";
import { eventually } from "../../support/runner/eventually.js";
import { long } from "../../support/runner/long.js";
import { createTcpProxy } from "../../support/stores/tcp-proxy.js";
import { PATIENT, usePage } from "./use-page.js";

describe("the live list of the page", { skip: NO_BROWSER || long.skip }, () => {
  const site = usePage();

  it(
    "resumes after it went offline, and counts the missed events, none lost or duplicate",
    { ...PATIENT, ...long },
    async () => {
      const { client, page, close } = await site.newcomer({ view: "jobs" });
      // This job's events arrive before the cut and must not arrive again.
      await client.enqueue("echo");
      await page.locator(".job-row .status", { hasText: "Done" }).waitFor();
      await goOffline(page);
      await page.getByText("Offline demo: last update at").waitFor();
      const [first, second] = [
        await client.enqueue("echo"),
        await client.enqueue("echo", { failPermanently: true }),
      ];
      await Promise.all([client.finished(first.id), client.finished(second.id)]);
      assert.equal(await page.locator(".job-row").count(), 1, "the connection was not cut");

      await page.getByRole("button", { name: "Reconnect now" }).click();
      await page.getByText("caught up on 6 missed events, 0 lost, 0 duplicates").waitFor();
      assert.deepEqual(await page.locator(".job-row .status").allTextContents(), [
        "Failed",
        "Done",
        "Done",
      ]);
      await client.enqueue("echo");
      await eventually(
        "the stream continues",
        async () =>
          (await page.locator(".job-row .status").allTextContents()).join() ===
          "Done,Failed,Done,Done",
      );
      await close();
    },
  );

  it(
    "reconnects after the server was unreachable or accepted connections without answering",
    { ...PATIENT, ...long },
    async (t) => {
      const cuttable = await createTcpProxy(site.service.url);
      t.after(() => cuttable.close());
      const client = await site.service.person();
      const person = await site.browser.signIn(new URL(cuttable.url).origin, client.token, {
        view: "jobs",
      });
      cuttable.down();
      await person.page.getByText("Connection lost, reconnecting… Last update at").waitFor();
      await client.finished((await client.enqueue("echo")).id);
      await eventually(
        "two attempts to connect have failed",
        () => person.errors.filter((error) => error.includes("ERR_CONNECTION_REFUSED")).length >= 2,
      );
      const silent = person.page.waitForEvent("websocket");
      cuttable.up();
      cuttable.freeze();
      const socket = await silent;
      await new Promise((resolve) => {
        socket.once("close", resolve);
      });
      cuttable.heal();
      await person.page.getByText("caught up on 3 missed events, 0 lost, 0 duplicates").waitFor();
      await closeWindow(person, { but: /WebSocket connection|Failed to load resource/ });
    },
  );

  it(
    "reads the list again when its cursor has expired, and continues",
    { ...PATIENT, ...long },
    async () => {
      const { client, page, close } = await site.newcomer({ view: "jobs" });
      await client.finished((await client.enqueue("echo")).id);
      await page.locator(".job-row .status", { hasText: "Done" }).waitFor();
      await goOffline(page);
      await client.finished((await client.enqueue("echo", { failPermanently: true })).id);
      const { me } = await client.get("{ me { id } }");
      await site.service.database
        .sql`update user_streams set floor_seq = last_seq where user_id = ${me.id}`;
      await page.getByRole("button", { name: "Reconnect now" }).click();
      await eventually(
        "the list was read again",
        async () =>
          (await page.locator(".job-row .status").allTextContents()).join() === "Failed,Done",
      );
      await client.enqueue("echo");
      await eventually(
        "the stream continues",
        async () =>
          (await page.locator(".job-row .status").allTextContents()).join() === "Done,Failed,Done",
      );
      await close();
    },
  );

  it(
    "shows each of two users their own jobs and none of the other's",
    { ...PATIENT, ...long },
    async () => {
      const [ann, bob] = await Promise.all([
        site.newcomer({ view: "jobs" }),
        site.newcomer({ view: "jobs" }),
      ]);
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
    "follows a job through progress, cancel, retry and delete in all of its owner's windows",
    { ...PATIENT, ...long },
    async () => {
      const { client, page, close } = await site.newcomer({ view: "jobs" });
      const second = await site.browser.signIn(site.service.url, client.token, { view: "jobs" });
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
