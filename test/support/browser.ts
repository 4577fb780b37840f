import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { launchChromium, NO_BROWSER, watchPage } from "./chromium.js";
import type { Watched } from "./chromium.js";
import { long } from "./long.js";

export interface PersonAtPage extends Watched {
  page: Page;
}

/** Closes the window and fails where something went wrong in it; `but` is what the browser itself says of answers that are refusals. */
export async function closeWindow({ page, outside, errors }: PersonAtPage, { but }: { but?: RegExp } = {}): Promise<void> {
  await page.context().close();
  assert.deepEqual([...outside.map((address) => `asked ${address}`), ...errors].filter((fault) => !but?.test(fault)), []);
}

export interface TestBrowser {
  /** A window of somebody's own, who signs in by the link. */
  signIn(url: string, token: string, options?: { dark?: boolean; width?: number; height?: number }): Promise<PersonAtPage>;
  close(): Promise<void>;
}

/** Why all but the one story that always runs are left out. */
export const NOT_ALL = NO_BROWSER || long.skip;

export async function startBrowser(): Promise<TestBrowser> {
  const browser = await launchChromium();
  return {
    async signIn(url, token, { dark = false, width = 1280, height = 800 } = {}) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light" });
      const page = await context.newPage();
      const watched = watchPage(page, url);
      await page.goto(`${url}/#token=${token}`);
      await page.getByRole("button", { name: "Pull the plug" }).and(page.locator(":enabled")).waitFor();
      return { page, ...watched };
    },
    close: () => browser.close(),
  };
}

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe finds wrong with the page as it is now, a line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // By the debugger's way in: the page's own policy lets no script in, and that is how it should be.
  await page.evaluate(readFileSync(axePath, "utf8"));
  return page.evaluate(`axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ target }) => target.join(" ")).join(", ")))`);
}
