import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../src/embedded/ports.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Measures `npm start` as in an installation without development dependencies, in a folder that was
 * started before. Returns the seconds until the service reports that it is ready.
 */
export async function measureStart(folder: string): Promise<number> {
  const place = join(folder, "start");
  if (!existsSync(place)) await prepare(place);
  return startOnce(place);
}

/** The first start of a folder creates the databases, so it is not measured. */
async function prepare(place: string): Promise<void> {
  await mkdir(place, { recursive: true });
  await cp(join(root, "package.json"), join(place, "package.json"));
  for (const part of ["dist", "scripts"]) await symlink(join(root, part), join(place, part));
  await startOnce(place);
}

async function startOnce(place: string): Promise<number> {
  const [port, workerPort] = [await freePort(), await freePort()];
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? "",
    PORT: String(port),
    WORKER_PORT: String(workerPort),
    npm_config_update_notifier: "false",
  };
  const from = performance.now();
  const child = spawn("npm", ["start"], {
    cwd: place,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  let output = "";
  const ready = new Promise<void>((resolve) =>
    child.stdout
      .setEncoding("utf8")
      .on("data", (text: string) => (output += text).includes(" is ready.") && resolve()),
  );
  const isReady = await Promise.race([ready.then(() => true), ended.then(() => false)]);
  const seconds = (performance.now() - from) / 1000;
  // The signal goes to the group, because npm does not forward it.
  if (isReady) process.kill(-(child.pid ?? 0), "SIGTERM");
  await ended;
  if (!isReady) throw new Error(`npm start ended before it was ready: ${output}`);
  return seconds;
}
