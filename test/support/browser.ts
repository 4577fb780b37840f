import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";

export interface PersonAtPage {
  page: Page;
  /** Errors of the page and its console, and requests that left this machine: none, if all is well. */
  faults: string[];
}

/** Closes the window and fails where something went wrong in it; `but` is what the browser itself says of answers that are refusals. */
export async function closeWindow({ page, faults }: PersonAtPage, { but }: { but?: RegExp } = {}): Promise<void> {
  await page.context().close();
  assert.deepEqual(faults.filter((fault) => !but?.test(fault)), []);
}

export interface TestBrowser {
  /** A window of somebody's own, who signs in by the link. */
  signIn(url: string, token: string, options?: { dark?: boolean; width?: number; height?: number }): Promise<PersonAtPage>;
  close(): Promise<void>;
}

const PLACES = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];
const executablePath = PLACES.find((path) => path !== undefined && existsSync(path));

/** Why the tests in a browser are skipped; false where there is one. */
export const NO_BROWSER = executablePath === undefined && "there is no Chromium here: apt-get install -y chromium, or set CHROMIUM to its path";
/** As above, for all but the one story that always runs. */
export const NOT_ALL = NO_BROWSER || (process.env["BROWSER"] !== "all" && "BROWSER=all npm test runs it, as npm run check does");

/** A real browser whose network ends at this machine. */
export async function startBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"] });
  return {
    async signIn(url, token, { dark = false, width = 1280, height = 800 } = {}) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light" });
      const page = await context.newPage();
      const faults = listen(page, url);
      await page.goto(`${url}/#token=${token}`);
      await page.getByRole("button", { name: "Pull the plug" }).and(page.locator(":enabled")).waitFor();
      return { page, faults };
    },
    close: () => browser.close(),
  };
}

function listen(page: Page, url: string): string[] {
  const faults: string[] = [];
  const isOwn = (address: string) => address.startsWith(`${url}/`) || address.startsWith(`${url.replace(/^http/, "ws")}/`) || /^(data|blob):/.test(address);
  page.on("console", (message) => void (message.type() === "error" && faults.push(message.text())));
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => void (isOwn(request.url()) || faults.push(`asked ${request.url()}`)));
  page.on("websocket", (socket) => void (isOwn(socket.url()) || faults.push(`opened ${socket.url()}`)));
  return faults;
}

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe finds wrong with the page as it is now, a line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // By the debugger's way in: the page's own policy lets no script in, and that is how it should be.
  await page.evaluate(readFileSync(axePath, "utf8"));
  return page.evaluate(`axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ target }) => target.join(" ")).join(", ")))`);
}
