import type { JobName } from "../generated/jobs.js";
import {
  cancelGroup,
  finishedGroup,
  pipeline,
  runGroup,
  type GroupJob,
  type GroupMember,
  type JobGroup,
  type PipelineStep,
} from "../groups/index.js";
import type { PhotoService } from "../photo-service.js";
import { INTERRUPTED, reasonOf, type CommandContext } from "./command.js";
import { parseFlags, textOf, UsageError, type FlagTypes, type FlagValues } from "./command-line.js";
import { createOutputFolder, readPhoto } from "./files.js";
import { parseObject } from "./parameters.js";
import { findJob } from "./run.js";
import { createBars, type Bars, type Terminal } from "./terminal.js";

const FLAGS = {
  step: { type: "string", multiple: true },
  name: { type: "string" },
  out: { type: "string", short: "o" },
  "cancel-on-interrupt": { type: "boolean" },
} as const satisfies FlagTypes;

const USAGE = `Usage: photo-service group <photo>… --step <job>… [flags]

Each photo takes the steps in turn, each on the pictures of the step before. A Job of several photos
takes the pictures of all photos at once.

Flags:
  --step "<job> [parameters]"  A Job, with its parameters as a JSON object; repeat it for each step.
  --name <text>                Name of the group.
  --out, -o <folder>           Save the files of the last steps. Without it, their URLs are printed.
  --cancel-on-interrupt        Ctrl-C cancels the group.
  --json                       Print the group with its jobs as one JSON object.

Example:
  photo-service group *.jpg --step scrub --step 'watermark {"text":"© Ann"}' --step archive -o out/
`;

/** `photo-service group <photos…> --step <job>…` */
export async function group({ args, terminal, interrupt, open }: CommandContext): Promise<number> {
  const { values, positionals } = parseFlags(args, FLAGS);
  if (values["help"] === true) {
    terminal.out(USAGE);
    return 0;
  }
  const texts = [values["step"] ?? []].flat().map(String);
  if (texts.length === 0 || positionals.length === 0)
    throw new UsageError(`Which photos, and which steps?\n\n${USAGE}`);
  const service = await open(values);
  const steps = await Promise.all(texts.map((text) => readStep(service, text)));
  const bars = createBars(terminal);
  try {
    const photos = await Promise.all(
      positionals.map((path) => upload(service, path, { bars, interrupt })),
    );
    const jobs = pipeline(photos, steps);
    const name = textOf(values, "name");
    // It is not interrupted, so that what it has submitted is known.
    const submitted = await runGroup(service, jobs, { name });
    const run: Run = { service, submitted, jobs, photos: positionals, bars, interrupt };
    return await follow(run, values, terminal);
  } catch (error) {
    if (interrupt.aborted) return INTERRUPTED;
    throw error;
  } finally {
    bars.close();
  }
}

async function readStep(service: PhotoService, text: string): Promise<PipelineStep> {
  const [, name = "", json = "{}"] = /^\s*(\S+)\s*(.*)$/s.exec(text) ?? [];
  const { maxPhotos } = await findJob(service, name);
  const parameters = parseObject(json || "{}", `--step ${name}`);
  return { job: name as JobName, parameters, joins: maxPhotos > 1 } as PipelineStep;
}

async function upload(
  service: PhotoService,
  path: string,
  { bars, interrupt: signal }: { bars: Bars; interrupt: AbortSignal },
): Promise<{ id: string }> {
  try {
    const { file, filename } = await readPhoto(path);
    const onProgress = (fraction: number): void => bars.set(path, fraction, "uploading");
    return await service.upload(file, { filename, signal, onProgress });
  } catch (error) {
    throw new Error(`✗ ${path}  ${reasonOf(error)}`, { cause: error });
  } finally {
    bars.remove(path);
  }
}

interface Run {
  service: PhotoService;
  submitted: JobGroup;
  jobs: Record<string, GroupJob>;
  /** Paths of the photos. */
  photos: readonly string[];
  bars: Bars;
  interrupt: AbortSignal;
}

/** Shows the group until it has finished, and saves what it made. */
async function follow(run: Run, values: FlagValues, terminal: Terminal): Promise<number> {
  const { service, submitted, bars, interrupt } = run;
  try {
    const { group: finished, jobs } = await finishedGroup(service, submitted, {
      signal: interrupt,
      onEvent({ type, queuedJob: { key, error, group: counts } }) {
        if (counts) bars.set(counts.name ?? "group", counts.progress, describe(counts));
        if (type === "FAILED" && error) bars.fault(`✗ ${key}  ${error.code}: ${error.message}`);
      },
    });
    if (values["json"] === true) bars.line(JSON.stringify({ ...finished, jobs }));
    const out = textOf(values, "out");
    const lines = await save(run, jobs, out);
    if (values["json"] !== true) bars.line([describe(finished), ...lines].join("\n"));
    return finished.status === "SUCCESS" ? 0 : 1;
  } catch (error) {
    if (!interrupt.aborted) throw error;
    return endEarly(run, terminal, values["cancel-on-interrupt"] === true);
  }
}

function describe({ total, succeeded, failed, cancelled }: JobGroup): string {
  return [
    `${succeeded} of ${total} succeeded`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(cancelled > 0 ? [`${cancelled} cancelled`] : []),
  ].join(", ");
}

/** Saves the outputs that no other job took; returns their paths, or their URLs without a folder. */
async function save(
  { jobs, photos, interrupt }: Run,
  members: Record<string, GroupMember>,
  out: string | undefined,
): Promise<string[]> {
  const folder = out === undefined ? null : createOutputFolder(out);
  const taken = new Set(Object.values(jobs).flatMap(({ photosFrom = [] }) => photosFrom));
  const lines: string[] = [];
  for (const [key, { outputs }] of Object.entries(members)) {
    if (taken.has(key)) continue;
    const [, number] = /^(\d+)-/.exec(key) ?? [];
    const of = number === undefined ? photos : [photos[Number(number) - 1] ?? key];
    for (const output of outputs)
      lines.push(`  ${folder ? await folder.save(output, of, interrupt) : output.url}`);
  }
  return lines;
}

async function endEarly(
  { service, submitted }: Run,
  terminal: Terminal,
  isCancelling: boolean,
): Promise<number> {
  if (isCancelling) await cancelGroup(service, submitted);
  terminal.err(
    isCancelling
      ? `Interrupted. The group ${submitted.id} was cancelled.\n`
      : `Interrupted. The group ${submitted.id} goes on.\n`,
  );
  return INTERRUPTED;
}
