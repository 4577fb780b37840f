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

/** Why the tests in a browser are skipped; false where there is one. */
export const NO_BROWSER =
  executablePath === undefined &&
  "there is no Chromium here: apt-get install -y chromium, or set CHROMIUM to its path";

/**
 * A real browser whose network ends at this machine: no name exists, and only 127.0.0.1 can be
 * reached.
 */
export async function launchChromium(): Promise<Browser> {
  // Here, since it is heavy, and most of what looks for a browser is left out.
  const { chromium } = await import("playwright-core");
  return chromium.launch({
    executablePath: executablePath ?? "",
    args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
}

export interface Watched {
  /** Addresses asked for that are not the service's. */
  outside: string[];
  /** Errors of scripts and of the console, where what the policy of a page forbade stands, too. */
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
  page.on("console", (message) => void (message.type() === "error" && errors.push(message.text())));
  return { outside, errors };
}
