import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { MultiBar, Presets } from "cli-progress";
import {
  createPhotoService,
  isFinished,
  type JobList,
  type Photo,
  type PhotoService,
  type QueuedJob,
  type QueuedJobEvent,
} from "../../client/src/index.js";

export interface DemoPhoto {
  bytes: Uint8Array;
  filename: string;
}

interface DemoOptions {
  url: string;
  token: string;
  photo: DemoPhoto;
  /** Folder for the results; each run creates a folder in it. */
  folder: string;
  out: NodeJS.WriteStream;
  /** Draws a picture as text; null when the terminal cannot show one. */
  draw: ((bytes: Uint8Array, columns: number) => Promise<string>) | null;
}

const PICTURE_COLUMNS = 40;
const MAX_WAIT_MS = 300_000;

/** The Jobs that the demo submits. */
export const JOBS = ["thumbnail", "metadata", "placeholder"] as const;

/**
 * Runs the whole path with the client package: uploads, submits, shows every event and downloads
 * the results. Returns true when all jobs succeeded.
 */
export async function runDemo({
  url,
  token,
  photo,
  folder,
  out,
  draw,
}: DemoOptions): Promise<boolean> {
  const service = createPhotoService({ url, token });
  try {
    const uploaded = await service.upload(new Blob([photo.bytes]), { filename: photo.filename });
    out.write(
      `Uploaded ${photo.filename}: ${uploaded.width} × ${uploaded.height} pixels, ` +
        `${Math.ceil(photo.bytes.length / 1000)} kB. Submitting ${JOBS.join(", ")}.\n\n`,
    );
    const display = createEventDisplay(out);
    const jobs = await runJobs(service, uploaded, display.show).finally(() => display.close());
    const target = resolve(folder, jobs[0]?.id ?? "demo");
    const paths = (await Promise.all(jobs.map((job) => saveResult(job, target)))).flat();
    const thumbnail = jobs.find(({ job }) => job.name === "thumbnail")?.outputs[0];
    if (draw && thumbnail)
      out.write(`\n${await draw(await download(thumbnail.url), PICTURE_COLUMNS)}`);
    out.write(`\nThe results:\n${paths.map((path) => `  ${path}`).join("\n")}\n`);
    return jobs.every(({ status }) => status === "SUCCESS");
  } finally {
    service.close();
  }
}

/** Submits the Jobs and shows each of their events; resolves when all have finished. */
async function runJobs(
  service: PhotoService,
  photo: Photo,
  show: (event: QueuedJobEvent) => void,
): Promise<QueuedJob[]> {
  const ids = new Set<string>();
  const finished = new Map<string, QueuedJob>();
  const list = service.jobs({
    first: 1,
    onEvent(event) {
      const { queuedJob } = event;
      if (!ids.has(queuedJob.id)) return;
      show(event);
      if (isFinished(queuedJob)) finished.set(queuedJob.id, queuedJob);
    },
  });
  // The list keeps its position in the stream, so that the events of the submissions follow it.
  await until(list, () => !list.getSnapshot().isLoading);
  const submitted = await Promise.all(JOBS.map((job) => service.run(job, {}, [photo])));
  for (const { id } of submitted) ids.add(id);
  await until(list, () => finished.size === ids.size);
  return [...finished.values()];
}

/** Keeps the list current until the condition holds after one of its changes. */
function until(list: JobList, isTrue: () => boolean): Promise<void> {
  return new Promise((done, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      stop();
      done();
    };
    // The list calls its subscribers before `onEvent`.
    const stop = list.subscribe(() => queueMicrotask(() => void (isTrue() && end())));
    const timer = setTimeout(() => {
      stop();
      reject(new Error("The jobs have not finished in time: npm run status shows the service."));
    }, MAX_WAIT_MS);
  });
}

/** Saves the files and the result of a job; returns their paths. */
async function saveResult(
  { job, result, error, outputs }: QueuedJob,
  folder: string,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const resultPath = join(folder, `${job.name}.json`);
  await writeFile(resultPath, `${JSON.stringify(result ?? error, null, 2)}\n`);
  const files = await Promise.all(
    outputs.map(async (output) => {
      const path = join(folder, `${job.name}-${output.name}`);
      await writeFile(path, await download(output.url));
      return path;
    }),
  );
  return [resultPath, ...files];
}

async function download(url: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

interface EventDisplay {
  show(event: QueuedJobEvent): void;
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
