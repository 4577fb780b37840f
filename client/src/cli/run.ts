import { parseArgs } from "node:util";
import type { JobName } from "../generated/jobs.js";
import type { PhotoService } from "../photo-service.js";
import { createLimit } from "../transport/limit.js";
import { isFinished, type QueuedJob } from "../types.js";
import { INTERRUPTED, reasonOf, type CommandContext } from "./command.js";
import {
  COMMON_FLAGS,
  parseFlags,
  table,
  textOf,
  UsageError,
  wholeNumber,
  type FlagTypes,
} from "./command-line.js";
import { createOutputFolder, readPhoto, type OutputFolder } from "./files.js";
import { describeFlags, flagTypes, readParameters, type ParameterSchema } from "./parameters.js";
import { createBars, type Bars, type Terminal } from "./terminal.js";

export interface Job {
  name: string;
  description: string;
  parameterSchema: ParameterSchema;
  minPhotos: number;
  maxPhotos: number;
}

const JOBS =
  "{ jobs(first: 100) { nodes { name description parameterSchema minPhotos maxPhotos } } }";
const FLAGS = {
  out: { type: "string", short: "o" },
  fresh: { type: "boolean" },
  priority: { type: "string" },
  "cancel-on-interrupt": { type: "boolean" },
} as const satisfies FlagTypes;
const FLAG_HELP: readonly (readonly [string, string])[] = [
  ["--out, -o <folder>", "Save the files that the job makes. Without it, their URLs are printed."],
  ["--parameters <json>", "Parameters as a JSON object; flags replace single ones."],
  ["--fresh", "Do the work even if an earlier result could be reused."],
  ["--priority <0-100>", "Higher runs first."],
  ["--cancel-on-interrupt", "Ctrl-C cancels what this command has submitted."],
  ["--json", "Print one JSON object for each job."],
];
/** Jobs that are watched at once. In Node.js 20 each takes one of the user's 50 connections. */
const CONCURRENCY = 20;

/** The result of one job of the command. */
interface Outcome {
  photos: readonly string[];
  queuedJob: QueuedJob | null;
  saved: string[];
  error: string | null;
}

/** `photo-service run <job> [photos…]` */
export async function run({ args, terminal, interrupt, open }: CommandContext): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name.startsWith("-"))
    throw new UsageError("Which Job? For example: photo-service run thumbnail photo.jpg -o out/");
  // The flags of the Job are unknown before its schema is read.
  const early = parseArgs({ args: rest, options: COMMON_FLAGS, strict: false }).values;
  const service = await open(early);
  const job = await findJob(service, name);
  if (early["help"]) {
    terminal.out(usageOf(job));
    return 0;
  }
  const { values, positionals } = parseFlags(rest, { ...flagTypes(job.parameterSchema), ...FLAGS });
  const out = textOf(values, "out");
  const priority = textOf(values, "priority");
  const runner = new JobRunner(service, {
    job: job.name as JobName,
    parameters: readParameters(job.parameterSchema, values),
    fresh: values["fresh"] === true,
    priority: priority === undefined ? 0 : wholeNumber("priority", priority, 0, 100),
    folder: out === undefined ? null : createOutputFolder(out),
    bars: createBars(terminal),
    interrupt,
  });
  const limit = createLimit(CONCURRENCY);
  const outcomes = await Promise.all(
    inJobs(job, positionals).map((photos) =>
      limit(async () => {
        const outcome = await runner.run(photos);
        runner.print(outcome, values["json"] === true);
        return outcome;
      }, new AbortController().signal),
    ),
  );
  runner.close();
  if (interrupt.aborted)
    return endEarly(service, outcomes, terminal, values["cancel-on-interrupt"] === true);
  return report(outcomes, terminal);
}

export async function findJob(service: PhotoService, name: string): Promise<Job> {
  const { jobs } = await service.query<{ jobs: { nodes: Job[] } }>(JOBS);
  const job = jobs.nodes.find((one) => one.name === name);
  if (job) return job;
  const names = jobs.nodes.map((one) => one.name).join(", ");
  throw new UsageError(`There is not a Job "${name}". The Jobs are: ${names}.`);
}

function usageOf({ name, description, parameterSchema }: Job): string {
  const flags = [...describeFlags(parameterSchema), ...FLAG_HELP];
  return [
    `Usage: photo-service run ${name} [photo]… [flags]\n\n${description}\n\nFlags:\n`,
    table(flags.map(([flag, text]) => [`  ${flag}`, text])),
  ].join("");
}

/** One job for each photo; one for all photos where the Job takes several. */
function inJobs({ name, minPhotos, maxPhotos }: Job, photos: string[]): string[][] {
  const isSingle = maxPhotos === 1;
  const count = isSingle ? Math.min(photos.length, 1) : photos.length;
  if (count < minPhotos || count > maxPhotos)
    throw new UsageError(
      `The Job ${name} takes ${minPhotos === maxPhotos ? minPhotos : `${minPhotos} to ${maxPhotos}`} ` +
        `photo${maxPhotos === 1 ? "" : "s"}; got ${photos.length}.`,
    );
  return isSingle ? photos.map((photo) => [photo]) : [photos];
}

interface Submission {
  job: JobName;
  parameters: Record<string, unknown>;
  fresh: boolean;
  priority: number;
  folder: OutputFolder | null;
  bars: Bars;
  interrupt: AbortSignal;
}

/** Takes photos through upload, submission, work and download. */
class JobRunner {
  readonly #service: PhotoService;
  readonly #submission: Submission;

  constructor(service: PhotoService, submission: Submission) {
    this.#service = service;
    this.#submission = submission;
  }

  async run(photos: readonly string[]): Promise<Outcome> {
    const { bars, interrupt } = this.#submission;
    const label = labelOf(photos);
    const outcome: Outcome = { photos, queuedJob: null, saved: [], error: null };
    try {
      await this.#run(label, outcome);
    } catch (error) {
      outcome.error = interrupt.aborted ? "interrupted" : reasonOf(error);
    }
    bars.remove(label);
    return outcome;
  }

  async #run(label: string, outcome: Outcome): Promise<void> {
    const { job, parameters, fresh, priority, folder, bars, interrupt } = this.#submission;
    const uploaded = await Promise.all(outcome.photos.map((path) => this.#upload(path, label)));
    interrupt.throwIfAborted();
    // It is not interrupted, so that what it has submitted is known.
    outcome.queuedJob = await this.#service.run(job, parameters as never, uploaded, {
      fresh,
      priority,
    });
    for await (const { queuedJob } of this.#service.watch(outcome.queuedJob, {
      signal: interrupt,
    })) {
      outcome.queuedJob = queuedJob;
      bars.set(label, queuedJob.progress, queuedJob.progressMessage ?? queuedJob.status);
    }
    const { status, error, outputs } = outcome.queuedJob;
    if (status !== "SUCCESS") throw new Error(error ? `${error.code}: ${error.message}` : status);
    for (const output of outputs) {
      bars.set(label, 1, `saving ${output.name}`);
      if (folder) outcome.saved.push(await folder.save(output, outcome.photos, interrupt));
    }
  }

  async #upload(path: string, label: string): Promise<{ id: string }> {
    const { bars, interrupt: signal } = this.#submission;
    const { file, filename } = await readPhoto(path);
    const onProgress = (fraction: number): void => bars.set(label, fraction, "uploading");
    return this.#service.upload(file, { filename, signal, onProgress });
  }

  print(outcome: Outcome, isJson: boolean): void {
    const { bars } = this.#submission;
    if (isJson) bars.line(JSON.stringify(outcome));
    else if (outcome.error === null) bars.line(toText(outcome));
    if (outcome.error !== null) bars.fault(`✗ ${labelOf(outcome.photos)}  ${outcome.error}`);
  }

  close(): void {
    this.#submission.bars.close();
  }
}

function labelOf(photos: readonly string[]): string {
  return photos.length === 1 ? String(photos[0]) : `${photos.length} photos`;
}

function toText({ photos, queuedJob, saved }: Outcome): string {
  const files = saved.length > 0 ? saved : (queuedJob?.outputs ?? []).map(({ url }) => url);
  const shown = files.length > 0 ? files : [JSON.stringify(queuedJob?.result)];
  return [`✓ ${labelOf(photos)}`, ...shown.map((line) => `  ${line}`)].join("\n");
}

function report(outcomes: readonly Outcome[], terminal: Terminal): number {
  const failed = outcomes.filter(({ error }) => error !== null);
  if (failed.length === 0) return 0;
  if (outcomes.length > 1) terminal.err(`${failed.length} of ${outcomes.length} failed.\n`);
  return 1;
}

async function endEarly(
  service: PhotoService,
  outcomes: readonly Outcome[],
  terminal: Terminal,
  isCancelling: boolean,
): Promise<number> {
  const open = outcomes.flatMap(({ queuedJob }) =>
    queuedJob && !isFinished(queuedJob) ? [queuedJob] : [],
  );
  if (!isCancelling) {
    if (open.length > 0)
      terminal.err(
        `Interrupted. ${open.length} submitted jobs go on; follow them with: photo-service watch ` +
          `${open.map(({ id }) => id).join(" ")}\n`,
      );
    return INTERRUPTED;
  }
  const results = await Promise.allSettled(open.map((queuedJob) => service.cancel(queuedJob)));
  const cancelled = results.filter(({ status }) => status === "fulfilled").length;
  terminal.err(`Interrupted. ${cancelled} of ${open.length} submitted jobs were cancelled.\n`);
  return INTERRUPTED;
}
