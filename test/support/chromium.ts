import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";

const PATHS = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const path = PATHS.find((candidate) => candidate !== undefined && existsSync(candidate));

/** What `skip` of a test takes: false where there is a browser. */
export const noChromium = path === undefined ? "there is no Chromium here (apt-get install chromium, or CHROMIUM=<path>): this test has shown nothing" : false;

export interface WatchedPage {
  page: Page;
  /** Addresses asked for that are not below the service's. */
  outside: string[];
  /** Errors of scripts, and what the policy of a page forbade. */
  errors: string[];
}

/** For which no name exists: only 127.0.0.1 can be reached. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ ...(path !== undefined && { executablePath: path }), args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"] });
}

export async function openWatchedPage(browser: Browser, url: string): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport: { width: 1300, height: 800 } });
  const outside: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(`${url}/`) && !/^(data|blob):/.test(request.url())) outside.push(request.url());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return { page, outside, errors };
}
