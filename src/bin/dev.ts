import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import type { ViteDevServer } from "vite";
import { parseConfig, readEnvironment } from "../config.js";
import { consoleBundle } from "./console-bundle.js";
import { orExit } from "./or-exit.js";
import { readServiceFile } from "./service-file.js";

const { dataFolder } = orExit(() => parseConfig(readEnvironment(), []));
// The compiler writes what was changed, and the service, which watches what is written, starts its processes anew.
// A group of its own: what is started here is a script, and the compiler its child.
const compiler = spawn("node_modules/.bin/tsc", ["--watch", "--preserveWatchOutput"], { stdio: "inherit", detached: true });
const service = spawn(process.execPath, [fileURLToPath(new URL("start.js", import.meta.url)), "--watch"], { stdio: "inherit" });
let pages: ViteDevServer | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => service.kill("SIGTERM"));
service.once("exit", (code) => {
  if (compiler.pid !== undefined && compiler.exitCode === null) process.kill(-compiler.pid);
  void pages?.close();
  process.exitCode = code ?? 1;
});

await serveConsole();

/** Once the service tells where it is: the page from its sources, renewed as they change, before the same API. */
async function serveConsole(): Promise<void> {
  let running = await readServiceFile(dataFolder);
  while (running?.pid !== service.pid && service.exitCode === null) {
    await pause(200);
    running = await readServiceFile(dataFolder);
  }
  if (!running) return;
  const proxy = { "/graphql": { target: running.url, ws: true }, "/photos": running.url, "/files": running.url };
  const own = process.listeners("SIGTERM");
  pages = await createServer({ ...consoleBundle(), server: { host: "127.0.0.1", proxy } });
  // Vite would end this process on the signal, before the service has closed.
  for (const listener of process.listeners("SIGTERM")) if (!own.includes(listener)) process.off("SIGTERM", listener);
  await pages.listen();
  const [url = ""] = pages.resolvedUrls?.local ?? [];
  process.stdout.write(`  Page       ${url}${new URL(running.console).hash}   (follows changes of src/console)\n\n`);
}
