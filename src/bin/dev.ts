import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createServer, type ViteDevServer } from "vite";
import { readCommandLine } from "../runtime/command-line.js";
import { parseConfig, readEnvironment } from "../runtime/config.js";
import { consoleBundle, REPOSITORY } from "../app/local-service/console-bundle.js";
import { orExit } from "../app/read-config.js";
import type { Reload } from "../app/local-service/reload.js";
import { readServiceFile } from "../app/local-service/service-file.js";

readCommandLine(
  {
    name: "npm run dev",
    about:
      "Run npm start, restart its processes when a source file changes, and serve a page " +
      "that follows its sources.",
  },
  () => null,
);
const { dataFolder } = orExit(() => parseConfig(readEnvironment(), []));
const SOURCES = join(REPOSITORY, "src");
const LOOK_EVERY_MS = 300;
/**
 * Written by the script that compiles; its time is the begin of the last compilation that
 * succeeded.
 */
const BUILT = join(REPOSITORY, "dist/.built");

// By its channel the service notices when this process was killed.
const service = spawn(
  process.execPath,
  [fileURLToPath(new URL("start.js", import.meta.url)), "--reload"],
  {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  },
);
let pages: ViteDevServer | undefined;
// A terminal signals the service, too; what comes twice counts once there.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => service.kill("SIGTERM"));
const runs = () => service.exitCode === null && service.signalCode === null;
service.once("exit", (code) => {
  void pages?.close();
  process.exitCode = code ?? 1;
});

await Promise.all([followSources(), serveConsole()]);

/**
 * Compiles whatever was edited since the last compilation, so that no edit is missed, whenever it
 * is made.
 */
async function followSources(): Promise<void> {
  const changesOf = createChanges();
  for (; runs(); await pause(LOOK_EVERY_MS)) {
    const changed = changesOf(SOURCES);
    if (changed.length === 0) continue;
    const script = join(REPOSITORY, "scripts/prepare.cjs");
    await once(spawn(process.execPath, [script], { stdio: "inherit" }), "exit");
    // Files with faults are compiled as well, and the compiler has named the faults.
    process.stdout.write("Source changed: restarting the API and the worker.\n");
    if (service.connected) service.send({ changed } satisfies Reload, () => {});
  }
}

/**
 * Gives the paths below a folder that were changed since it was asked last, at first since the last
 * compilation. Folders too, from which something may have been removed; not those of the page.
 */
function createChanges(): (folder: string) => string[] {
  const built = statSync(BUILT, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const seen = new Map<string, number>();
  const isChanged = (path: string, time: number) => {
    const before = seen.get(path);
    seen.set(path, time);
    return before === undefined ? time > built : time !== before;
  };
  return (folder) => {
    const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
    return paths
      .filter((path) => !/^console(\/|$)/.test(path))
      .filter((path) => {
        const found = statSync(join(folder, path), { throwIfNoEntry: false });
        return found !== undefined && isChanged(path, found.mtimeMs);
      });
  };
}

/**
 * Once the service tells where it is: the page from its sources, renewed as they change, before the
 * same API.
 */
async function serveConsole(): Promise<void> {
  let running = await readServiceFile(dataFolder);
  while (running?.pid !== service.pid && runs()) {
    await pause(200);
    running = await readServiceFile(dataFolder);
  }
  if (!running) return;
  const proxy = {
    "/graphql": { target: running.url, ws: true },
    "/photos": running.url,
    "/files": running.url,
  };
  const own = process.listeners("SIGTERM");
  pages = await createServer({ ...consoleBundle(), server: { host: "127.0.0.1", proxy } });
  // Vite would end this process on the signal, before the service has closed.
  for (const listener of process.listeners("SIGTERM"))
    if (!own.includes(listener)) process.off("SIGTERM", listener);
  await pages.listen();
  // The service may have ended before there was a page to close.
  if (!runs()) return pages.close();
  const [url = ""] = pages.resolvedUrls?.local ?? [];
  process.stdout.write(
    `  Page       ${url}${new URL(running.console).hash}   (follows changes of src/console)\n\n`,
  );
}
