import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createChildPool } from "../../src/child-pool/child-pool.js";
import type { RunOptions } from "../../src/child-pool/child-work.js";
import type { PhotoHeader } from "../../src/imaging/formats/photo-header.js";
import { createPhotoInspector } from "../../src/imaging/inspect/photo-inspector.js";
import { catalogue } from "../../src/tasks/catalogue.js";
import type { NearPhotoList, Task, TaskPhoto } from "../../src/tasks/define-task.js";
import type {
  TaskChildRequest,
  TaskChildResponse,
} from "../../src/worker/child/task-child-request.js";
import { silentLog } from "../support/runner/silent-log.js";
import { exampleParameters } from "../support/service/example-parameters.js";
import { judgeError, type Verdict } from "./judge-error.js";

export interface JobRunner {
  /** Inspects a file like an upload. */
  probe(path: string): Promise<{ header: PhotoHeader | null; verdict: Verdict }>;
  /** Jobs that take photos. */
  jobs: Task[];
  /** `check` runs while the output files exist; it returns a fault or null. */
  run(
    task: Task,
    photos: TaskPhoto[],
    check?: (response: TaskChildResponse, folder: string) => Promise<string | null>,
  ): Promise<Verdict>;
  close(): Promise<void>;
}

interface JobRunnerOptions {
  size?: number;
  parameters?: Record<string, unknown>;
  /** Default: the tasks of this repository. */
  tasks?: ReadonlyMap<string, Task>;
}

/** Result of the search for similar photos, which needs a database: there are none. */
const NO_NEIGHBOURS: NearPhotoList = { photos: [], cut: false };
const MAX_PIXELS = 100_000_000;
const MEMORY_BYTES = 1.5 * 1024 ** 3;

/**
 * Runs Jobs in the worker's child processes, with their folders below `folder`. `parameters` by Job
 * name replace the defaults and examples.
 */
export function createJobRunner(folder: string, options: JobRunnerOptions = {}): JobRunner {
  const { parameters: parametersByJob = {}, tasks = catalogue } = options;
  const entry = new URL("../../src/worker/child/task-child.js", import.meta.url);
  const pool = createChildPool({
    entry,
    size: options.size ?? availableParallelism(),
    memoryLimitBytes: MEMORY_BYTES,
    log: silentLog,
  });
  const inspector = createPhotoInspector({
    log: silentLog,
    maxPixels: MAX_PIXELS,
    memoryLimitBytes: MEMORY_BYTES,
  });
  let attempts = 0;

  async function attempt(
    task: Task,
    photos: TaskPhoto[],
    check?: Parameters<JobRunner["run"]>[2],
  ): Promise<Verdict> {
    const attemptFolder = join(folder, `attempt-${++attempts}`);
    await mkdir(attemptFolder);
    try {
      const given = parametersByJob[task.name] ?? exampleParameters(task);
      const request = toRequest(task, task.parameters.parse(given), photos, attemptFolder);
      const response = (await pool.run(request, {
        timeoutMs: task.timeoutMs,
        onAsk: answersFor(photos),
      })) as TaskChildResponse;
      const stray = await strayFiles(response, attemptFolder);
      const wrong = stray ?? (await check?.(response, attemptFolder)) ?? null;
      if (wrong !== null) return { kind: "violation", message: wrong };
      const { warnings = [] } = task.result.parse(response.result) as { warnings?: string[] };
      return warnings.length > 0
        ? { kind: "warned", message: warnings.join("; ") }
        : { kind: "ok" };
    } catch (error) {
      return judgeError(error, { hasOwnCodes: task.folder !== undefined });
    } finally {
      await rm(attemptFolder, { recursive: true, force: true });
    }
  }

  return {
    jobs: [...tasks.values()].filter(({ maxPhotos }) => maxPhotos > 0),
    run: attempt,
    async probe(path) {
      return inspector.probe(path).then(
        (header) => ({ header, verdict: { kind: "ok" as const } }),
        (error: unknown) => ({ header: null, verdict: judgeError(error) }),
      );
    },
    close: async () => void (await Promise.all([pool.close(), inspector.close()])),
  };
}

function answersFor(photos: TaskPhoto[]): RunOptions["onAsk"] {
  return async (name, argument) =>
    name === "fetchPhoto" ? photos[(argument as { index: number }).index]?.path : NO_NEIGHBOURS;
}

function toRequest(
  task: Task,
  parameters: TaskChildRequest["parameters"],
  photos: TaskPhoto[],
  folder: string,
): TaskChildRequest {
  const place = { ...(task.folder !== undefined && { taskFolder: task.folder }), folder };
  const first = { attempt: 1, failures: 0, maxPixels: MAX_PIXELS };
  return { task: task.name, parameters, photos, ...place, ...first };
}

/** Returns null if the folder contains exactly the files that the task reported. */
async function strayFiles({ outputs }: TaskChildResponse, folder: string): Promise<string | null> {
  const reported = outputs.map(({ name }) => name).toSorted();
  const actual = (await readdir(folder)).toSorted();
  if (reported.join() !== actual.join())
    return `the task reported the files [${reported.join()}], but wrote [${actual.join()}]`;
  for (const { name, byteSize } of outputs)
    if ((await stat(join(folder, name))).size !== byteSize)
      return `${name} does not have the reported size`;
  return null;
}

/** Describes a file like a row of the table photos. */
export async function toTaskPhoto(path: string, header: PhotoHeader | null): Promise<TaskPhoto> {
  const bytes = await readFile(path);
  const { mimeType = "image/jpeg", width = 1, height = 1 } = header ?? {};
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return {
    id: sha256.slice(0, 8),
    path,
    filename: "photo.jpg",
    mimeType,
    width,
    height,
    byteSize: bytes.length,
    sha256,
    phash: null,
    createdAt: "2026-11-24T13:26:23.120Z",
  };
}
