import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { readCommandLine } from "../runtime/command-line.js";
import { parseConfig, readEnvironment } from "../runtime/config.js";
import { colorDepthOf } from "../demo/color-depth.js";
import { runDemo } from "../demo/run-demo.js";
import { makeSamplePhoto } from "../imaging/pixels/make-sample-photo.js";
import { runCommand, type ClosingStack } from "../runtime/lifecycle.js";
import { readServiceFile, type ServiceFile } from "../app/local-service/service-file.js";

const path = readCommandLine(
  {
    name: "npm run demo",
    about:
      "Upload a photo, submit jobs, show every event live, and write the results to " +
      "demo-output/. Starts the service if none runs here.",
    positional: { value: "<photo>", about: "Path of a photo; without one a photo is made." },
    examples: ["", "photo.jpg"],
  },
  (_, [photo, ...others]) => {
    if (others.length > 0) throw new Error("Give one photo at most");
    return photo;
  },
);

await runCommand(async (stack) => {
  const { dataFolder } = parseConfig(readEnvironment(), []);
  const photo = await readPhoto();
  const service = (await readServiceFile(dataFolder)) ?? (await startService(dataFolder, stack));
  if (service.token === null)
    throw new Error(
      "The service that runs here honours no development tokens, which the demo needs.",
    );
  const ok = await runDemo({
    url: service.url,
    token: service.token,
    photo,
    folder: "demo-output",
    out: process.stdout,
    draw: await pictures(),
  });
  if (!ok) process.exitCode = 1;
});

/** On a terminal that shows true colours. */
async function pictures() {
  if (!process.stdout.isTTY || colorDepthOf(process.stdout, process.env) < 24) return null;
  return (await import("../imaging/pixels/half-blocks.js")).renderHalfBlocks;
}

async function readPhoto(): Promise<{ bytes: Uint8Array; filename: string }> {
  if (path === undefined) return { bytes: await makeSamplePhoto(), filename: "hills.jpg" };
  const bytes = await readFile(path).catch(() => {
    throw new Error(`${path} cannot be read: name a photo, or none, and one is made.`);
  });
  return { bytes, filename: basename(path) };
}

/** `npm start` for as long as the demo takes. */
async function startService(dataFolder: string, stack: ClosingStack): Promise<ServiceFile> {
  process.stdout.write("No service runs from this folder: starting one for the demo.\n");
  // By its channel it notices when this process was killed.
  const child = spawn(process.execPath, [fileURLToPath(new URL("start.js", import.meta.url))], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  stack.add("service", () => {
    child.kill("SIGTERM");
    return ended;
  });
  while (child.exitCode === null && child.signalCode === null) {
    const service = await readServiceFile(dataFolder);
    if (service) return service;
    await pause(100);
  }
  throw new Error("The service could not be started.");
}
