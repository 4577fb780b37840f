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
const POLL_INTERVAL_MS = 300;
/**
 * The script that compiles writes this file; its time is when the last successful compilation
 * began.
 */
const BUILT = join(REPOSITORY, "dist/.built");

// The IPC channel shows the service when this process was killed.
const service = spawn(
  process.execPath,
  [fileURLToPath(new URL("start.js", import.meta.url)), "--reload"],
  {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  },
);
let pages: ViteDevServer | undefined;
// A terminal also signals the service, which ignores the second signal.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => service.kill("SIGTERM"));
const runs = () => service.exitCode === null && service.signalCode === null;
service.once("exit", (code) => {
  void pages?.close();
  process.exitCode = code ?? 1;
});

await Promise.all([followSources(), serveConsole()]);

/** Compiles all changes since the last compilation, so that no change is missed. */
async function followSources(): Promise<void> {
  const changesOf = createChanges();
  for (; runs(); await pause(POLL_INTERVAL_MS)) {
    const changed = changesOf(SOURCES);
    if (changed.length === 0) continue;
    const script = join(REPOSITORY, "scripts/prepare.cjs");
    await once(spawn(process.execPath, [script], { stdio: "inherit" }), "exit");
    // The compiler also emits files with errors, and has printed the errors.
    process.stdout.write("Source changed: restarting the API and the worker.\n");
    if (service.connected) service.send({ changed } satisfies Reload, () => {});
  }
}

/**
 * Returns the paths below a folder that changed since the last call, or at first since the last
 * compilation. It includes folders, from which a file may have been removed. It excludes the page,
 * and the catalogue, which each compilation generates.
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
      .filter((path) => !/^console(\/|$)|^tasks\/catalogue\.ts$/.test(path))
      .filter((path) => {
        const stats = statSync(join(folder, path), { throwIfNoEntry: false });
        return stats !== undefined && isChanged(path, stats.mtimeMs);
      });
  };
}

/**
 * Waits for the service file, then serves the page from its sources, with live updates, in front of
 * the same API.
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
  const before = process.listeners("SIGTERM");
  pages = await createServer({ ...consoleBundle(), server: { host: "127.0.0.1", proxy } });
  // Vite would end this process on the signal before the service has closed.
  for (const listener of process.listeners("SIGTERM"))
    if (!before.includes(listener)) process.off("SIGTERM", listener);
  await pages.listen();
  // The service may have ended before the page was served.
  if (!runs()) return pages.close();
  const [url = ""] = pages.resolvedUrls?.local ?? [];
  process.stdout.write(
    `  Page       ${url}${new URL(running.console).hash}   (follows changes of src/console)\n\n`,
  );
}
