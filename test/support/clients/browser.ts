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
      await page.goto(`${url}/#token=${token}`);
      await page
        .getByRole("button", { name: "Go offline" })
        .and(page.locator(":enabled"))
        .waitFor();
      return person;
    },
    close: () => browser.close(),
  };
}

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** The accessibility faults that axe finds in the page, one line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Through the debugger, because the page's Content-Security-Policy allows no other script.
  await page.evaluate(readFileSync(axePath, "utf8"));
  return page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + ` +
      `nodes.map(({ target }) => target.join(" ")).join(", ")))`,
  );
}
