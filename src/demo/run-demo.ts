import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { MultiBar, Presets } from "cli-progress";
import { createDemoClient, type DemoEvent, type DemoClient } from "./demo-client.js";

interface DemoOptions {
  url: string;
  token: string;
  photo: { bytes: Uint8Array; filename: string };
  /** Folder for the results; each run creates a folder in it. */
  folder: string;
  out: NodeJS.WriteStream;
  /** Draws a picture as text; null when the terminal cannot show one. */
  draw: ((bytes: Uint8Array, columns: number) => Promise<string>) | null;
}

const PICTURE_COLUMNS = 40;

const JOBS = ["thumbnail", "metadata", "placeholder"];
const ENDS = new Set(["SUCCEEDED", "FAILED", "CANCELLED"]);

/**
 * Runs the whole path: uploads, submits, shows every event and downloads the results. Returns true
 * when all jobs succeeded.
 */
export async function runDemo({
  url,
  token,
  photo,
  folder,
  out,
  draw,
}: DemoOptions): Promise<boolean> {
  const client = createDemoClient({ url, token });
  try {
    const uploaded = await client.upload(photo.bytes, photo.filename);
    out.write(
      `Uploaded ${photo.filename}: ${uploaded.width} × ${uploaded.height} pixels, ` +
        `${Math.ceil(photo.bytes.length / 1000)} kB. Submitting ${JOBS.join(", ")}.\n\n`,
    );
    const { ids, eventCursor } = await client.submit(JOBS, uploaded.id);
    const ended = await watch(client, { ids, eventCursor, out });
    const paths = (
      await Promise.all(
        ended.map((event) => saveResult(client, event, join(resolve(folder), ids[0] ?? "demo"))),
      )
    ).flat();
    const thumbnail = ended.find(({ queuedJob }) => queuedJob.job.name === "thumbnail")?.queuedJob
      .outputs[0];
    if (draw && thumbnail)
      out.write(`\n${await draw(await client.download(thumbnail.url), PICTURE_COLUMNS)}`);
    out.write(`\nThe results:\n${paths.map((path) => `  ${path}`).join("\n")}\n`);
    return ended.every((event) => event.type === "SUCCEEDED");
  } finally {
    client.close();
  }
}

async function watch(
  client: DemoClient,
  { ids, eventCursor, out }: { ids: string[]; eventCursor: string; out: NodeJS.WriteStream },
): Promise<DemoEvent[]> {
  const display = createEventDisplay(out);
  const ended = new Map<string, DemoEvent>();
  const onEvent = (event: DemoEvent): void => {
    if (!ids.includes(event.queuedJob.id)) return;
    display.show(event);
    if (ENDS.has(event.type)) ended.set(event.queuedJob.id, event);
  };
  await client
    .watch(eventCursor, onEvent, () => ended.size === ids.length)
    .finally(() => display.close());
  return [...ended.values()];
}

/** Saves the files and the result of a job; returns their paths. */
async function saveResult(
  client: DemoClient,
  { queuedJob: { job, result, error, outputs } }: DemoEvent,
  folder: string,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const resultPath = join(folder, `${job.name}.json`);
  await writeFile(resultPath, `${JSON.stringify(result ?? error, null, 2)}\n`);
  const files = await Promise.all(
    outputs.map(async (output) => {
      const path = join(folder, `${job.name}-${output.name}`);
      await writeFile(path, await client.download(output.url));
      return path;
    }),
  );
  return [resultPath, ...files];
}

interface EventDisplay {
  show(event: DemoEvent): void;
  close(): void;
}

/** Shows a bar for each job and a line for each step; without a terminal only the lines. */
export function createEventDisplay(out: NodeJS.WriteStream): EventDisplay {
  const bars = out.isTTY
    ? new MultiBar(
        {
          format: "  {name} {bar} {percentage} %  {message}",
          hideCursor: true,
          stream: out,
          clearOnComplete: false,
          barsize: 24,
        },
        Presets.shades_classic,
      )
    : null;
  const barOf = new Map<string, ReturnType<MultiBar["create"]>>();

  return {
    show({ type, queuedJob: { id, job, progress, progressMessage, error } }) {
      const line = `  ${job.name.padEnd(12)} ${type.padEnd(10)} ${Math.round(progress * 100)
        .toString()
        .padStart(3)} %  ${error?.message ?? progressMessage ?? ""}`.trimEnd();
      if (!bars) return void out.write(`${line}\n`);
      if (type !== "PROGRESS") bars.log(`${line}\n`);
      const bar = barOf.get(id) ?? bars.create(100, 0);
      barOf.set(id, bar);
      bar.update(Math.round(progress * 100), {
        name: job.name.padEnd(12),
        message: type === "SUCCEEDED" ? "done" : (error?.message ?? progressMessage ?? ""),
      });
    },
    close() {
      // The bars are drawn at intervals, so the last message needs an update.
      bars?.update();
      bars?.stop();
    },
  };
}
