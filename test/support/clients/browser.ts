import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { launchChromium, NO_BROWSER, watchPage, type Watched } from "./chromium.js";
import { long } from "../runner/long.js";

export interface PersonAtPage extends Watched {
  page: Page;
}

/**
 * Closes the window, and fails the test if the page logged an error or made a request to another
 * origin. `but` matches expected errors, such as those the browser logs for refused requests.
 */
export async function closeWindow(
  { page, outside, errors }: PersonAtPage,
  { but }: { but?: RegExp } = {},
): Promise<void> {
  await page.context().close();
  assert.deepEqual(
    [...outside.map((address) => `asked ${address}`), ...errors].filter(
      (fault) => !but?.test(fault),
    ),
    [],
  );
}

export interface TestBrowser {
  /** Opens a window in its own browser context, and signs in by the link. */
  signIn(url: string, token: string, options?: WindowOptions): Promise<PersonAtPage>;
  /** Opens a window with the operator's credentials. */
  operate(url: string, password: string, options?: WindowOptions): Promise<PersonAtPage>;
  close(): Promise<void>;
}

interface WindowOptions {
  /** The view that is opened; photos by default. */
  view?: "photos" | "jobs";
  dark?: boolean;
  width?: number;
  height?: number;
}

/** Reason why all browser tests except the one that always runs are skipped; or false. */
export const NOT_ALL = NO_BROWSER || long.skip;

export async function startBrowser(): Promise<TestBrowser> {
  const browser = await launchChromium();
  async function open(
    url: string,
    { dark = false, width = 1280, height = 800 }: WindowOptions,
    more: { httpCredentials?: { username: string; password: string } } = {},
  ): Promise<PersonAtPage> {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      ...more,
    });
    const page = await context.newPage();
    return { page, ...watchPage(page, url) };
  }
  return {
    operate: (url, password, options = {}) =>
      open(url, options, { httpCredentials: { username: "admin", password } }),
    async signIn(url, token, options = {}) {
      const person = await open(url, options);
      const { page } = person;
      const { view = "photos" } = options;
      await page.goto(`${url}/${view === "jobs" ? "?view=jobs" : ""}#token=${token}`);
      await waitUntilLive(page);
      return person;
    },
    close: () => browser.close(),
  };
}

/** Waits until the page receives events. */
export async function waitUntilLive(page: Page): Promise<void> {
  await page
    .getByRole("status", { name: "Connection" })
    .filter({ hasText: /^Live/ })
    .waitFor({ state: "attached" });
}

/** Disconnects the page through its menu. */
export async function goOffline(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("button", { name: "Go offline" }).click();
}

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** The accessibility faults that axe finds in the page, one line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Through the debugger, because the page's Content-Security-Policy allows no other script.
  await page.evaluate(readFileSync(axePath, "utf8"));
  // While a part fades in, its colours have too little contrast.
  await page.evaluate(
    "Promise.allSettled(document.getAnimations().filter((one) => " +
      "one.effect?.getTiming().iterations !== Infinity).map(({ finished }) => finished))",
  );
  return page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + ` +
      `nodes.map(({ target }) => target.join(" ")).join(", ")))`,
  );
}
