import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { readCommandLine } from "../runtime/command-line.js";
import { parseConfig, readEnvironment } from "../runtime/config.js";
import { colorDepthOf } from "../demo/color-depth.js";
import { JOBS, runDemo, type DemoPhoto } from "../demo/run-demo.js";
import { runPipeline } from "../demo/run-pipeline.js";
import { watchWebhooks } from "../demo/watch-webhooks.js";
import { makeSamplePhoto } from "../imaging/pixels/make-sample-photo.js";
import { runCommand, type ClosingStack } from "../runtime/lifecycle.js";
import { readServiceFile, type ServiceFile } from "../app/local-service/service-file.js";

/** Each has three jobs, and all of them one more. */
const MAX_PIPELINE_PHOTOS = 166;

const { isPipeline, paths, webhook } = readCommandLine(
  {
    name: "npm run demo",
    about:
      "Upload a photo, submit jobs, show every event live, and write the results to " +
      "demo-output/. Starts the service if none runs from this folder.",
    options: {
      webhook: {
        type: "boolean",
        about: "Also start a receiver of webhooks, which verifies and prints them.",
      },
      pipeline: {
        type: "boolean",
        about: "Run several Jobs in turn on any number of photos, as one group.",
      },
    },
    positional: { value: "<photo>", about: "Path of a photo; default: generated photos." },
    examples: ["", "photo.jpg", "--pipeline *.jpg", "--webhook"],
  },
  (values, photos) => {
    if (photos.length > 1 && !values.pipeline)
      throw new Error("Give at most one photo, or --pipeline for several");
    if (values.pipeline && values.webhook) throw new Error("Give --pipeline or --webhook");
    if (photos.length > MAX_PIPELINE_PHOTOS)
      throw new Error(`Give at most ${MAX_PIPELINE_PHOTOS} photos: a group has 500 jobs at most`);
    return { isPipeline: values.pipeline, paths: photos, webhook: values.webhook };
  },
);

await runCommand(async (stack) => {
  const { dataFolder } = parseConfig(readEnvironment(), []);
  const photos = await readPhotos();
  const running = await readServiceFile(dataFolder);
  if (running && webhook)
    throw new Error(
      "A service runs from this folder and does not know the demo's receiver of webhooks: stop " +
        "it, and the demo starts one that does.",
    );
  const webhooks = webhook ? await watchWebhooks(process.stdout) : null;
  if (webhooks) stack.add("receiver of webhooks", () => webhooks.close());
  const service = running ?? (await startService(dataFolder, webhooks?.env ?? {}, stack));
  if (service.token === null)
    throw new Error(
      "The service of this folder does not accept development tokens, which the demo needs.",
    );
  const { url, token } = service;
  const common = { url, token, folder: "demo-output", out: process.stdout };
  const [photo] = photos;
  const ok =
    isPipeline || !photo
      ? await runPipeline({ ...common, photos })
      : await runDemo({ ...common, photo, draw: await choosePictures() });
  if (!ok) process.exitCode = 1;
  await webhooks?.waitFor(JOBS.length);
});

/** Returns the function that draws pictures, on terminals with true colour; else null. */
async function choosePictures() {
  if (!process.stdout.isTTY || colorDepthOf(process.stdout, process.env) < 24) return null;
  return (await import("../imaging/pixels/half-blocks.js")).renderHalfBlocks;
}

async function readPhotos(): Promise<DemoPhoto[]> {
  if (paths.length > 0) return Promise.all(paths.map(readPhoto));
  const photo = { bytes: await makeSamplePhoto(), filename: "hills.jpg" };
  if (!isPipeline) return [photo];
  const smaller = [1512, 1200].map(async (width, i) => ({
    bytes: await makeSamplePhoto(width),
    filename: `hills-${i + 2}.jpg`,
  }));
  return [photo, ...(await Promise.all(smaller))];
}

async function readPhoto(path: string): Promise<DemoPhoto> {
  const bytes = await readFile(path).catch(() => {
    throw new Error(
      `${path} cannot be read: give the path of a photo, or no path to use a generated photo.`,
    );
  });
  return { bytes, filename: basename(path) };
}

/** Runs `npm start` during the demo. */
async function startService(
  dataFolder: string,
  env: Record<string, string>,
  stack: ClosingStack,
): Promise<ServiceFile> {
  process.stdout.write("No service runs from this folder: starting one for the demo.\n");
  // The IPC channel shows the service when this process was killed.
  const child = spawn(process.execPath, [fileURLToPath(new URL("start.js", import.meta.url))], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, ...env },
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
  throw new Error("The service could not be started: run npm start to see why.");
}
