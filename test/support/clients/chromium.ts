import { existsSync } from "node:fs";
import type { Browser, Page } from "playwright-core";

const PLACES = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const executablePath = PLACES.find((path) => path !== undefined && existsSync(path));

/** Reason why browser tests are skipped; false if a browser exists. */
export const NO_BROWSER =
  executablePath === undefined &&
  "Chromium was not found: apt-get install -y chromium, or set CHROMIUM to its path";

/** A real browser without access to other machines: only 127.0.0.1 can be reached. */
export async function launchChromium(): Promise<Browser> {
  // Imported here because it is heavy, and most test runs skip the browser.
  const { chromium } = await import("playwright-core");
  return chromium.launch({
    executablePath: executablePath ?? "",
    args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
}

export interface Watched {
  /** Requested addresses outside of the service. */
  outside: string[];
  /** Script errors and console errors, including violations of the Content-Security-Policy. */
  errors: string[];
}

export function watchPage(page: Page, url: string): Watched {
  const [outside, errors]: [string[], string[]] = [[], []];
  const isOwn = (address: string) =>
    address.startsWith(`${url}/`) ||
    address.startsWith(`${url.replace(/^http/, "ws")}/`) ||
    /^(data|blob):/.test(address);
  const note = (address: string) => void (isOwn(address) || outside.push(address));
  page.on("request", (request) => note(request.url()));
  page.on("websocket", (socket) => note(socket.url()));
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`${message.text()} ${message.location().url}`);
  });
  return { outside, errors };
}
