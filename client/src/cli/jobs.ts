import { NotFoundError } from "../errors.js";
import type { PhotoService } from "../photo-service.js";
import { isFinished, type QueuedJob, type QueuedJobEvent } from "../types.js";
import { INTERRUPTED, reasonOf, type CommandContext } from "./command.js";
import { parseFlags, table, textOf, wholeNumber } from "./command-line.js";
import type { Terminal } from "./terminal.js";

const ROW =
  "id version status progress progressMessage attempts createdAt finishedAt job { name title } " +
  "error { code message }";
const JOBS = `query ($first: Int, $filter: QueuedJobFilter) {
  queuedJobs(first: $first, filter: $filter) { nodes { ${ROW} } } }`;
const JOB = `query ($id: ID!) { queuedJob(id: $id) { ${ROW} } }`;

/** `photo-service jobs` */
export async function jobs({ args, terminal, interrupt, open }: CommandContext): Promise<number> {
  const { values } = parseFlags(args, {
    first: { type: "string", default: "20" },
    status: { type: "string" },
    job: { type: "string" },
  });
  const first = wholeNumber("first", textOf(values, "first") ?? "", 1, 100);
  const filter = {
    status: textOf(values, "status")?.toUpperCase().split(","),
    job: textOf(values, "job")?.split(","),
  };
  const service = await open(values);
  const { queuedJobs } = await service.query<{ queuedJobs: { nodes: QueuedJob[] } }>(
    JOBS,
    { first, filter },
    { signal: interrupt },
  );
  terminal.out(
    values["json"] === true
      ? `${JSON.stringify(queuedJobs.nodes, null, 2)}\n`
      : table(
          queuedJobs.nodes.map(({ id, job, status, createdAt, error }) => [
            id,
            job.name,
            status,
            createdAt,
            error ? `${error.code}: ${error.message}` : "",
          ]),
        ),
  );
  return 0;
}

/** `photo-service watch [ids…]`: until they have finished, or everything until Ctrl-C. */
export async function watch({ args, terminal, interrupt, open }: CommandContext): Promise<number> {
  const { values, positionals } = parseFlags(args, {});
  const service = await open(values);
  const print = (event: QueuedJobEvent): void =>
    terminal.out(values["json"] === true ? `${JSON.stringify(event)}\n` : `${describe(event)}\n`);
  if (positionals.length === 0) return watchAll(service, print, interrupt, terminal);
  const reasons = await Promise.all(
    positionals.map((id) => watchOne(service, id, print, interrupt)),
  );
  for (const reason of reasons) if (reason !== null) terminal.err(`${reason}\n`);
  if (interrupt.aborted) return INTERRUPTED;
  return reasons.some((reason) => reason !== null) ? 1 : 0;
}

function describe({ at, type, queuedJob }: QueuedJobEvent): string {
  const { id, job, progress, progressMessage, error } = queuedJob;
  const more = error ? `${error.code}: ${error.message}` : (progressMessage ?? "");
  const percent = `${Math.round(progress * 100)} %`.padStart(5);
  return `${at}  ${id}  ${job.name}  ${type.padEnd(9)}  ${percent}  ${more}`.trimEnd();
}

/** Resolves with why it did not succeed, or with null. */
async function watchOne(
  service: PhotoService,
  id: string,
  print: (event: QueuedJobEvent) => void,
  interrupt: AbortSignal,
): Promise<string | null> {
  try {
    const { queuedJob } = await service.query<{ queuedJob: QueuedJob | null }>(
      JOB,
      { id },
      { signal: interrupt },
    );
    if (!queuedJob) throw new NotFoundError("NOT_FOUND", "there is no such QueuedJob");
    let last = queuedJob;
    for await (const event of service.watch(queuedJob, { signal: interrupt })) {
      print(event);
      last = event.queuedJob;
    }
    if (last.status === "SUCCESS") return null;
    const { error, status } = last;
    return `${id}  ${error && isFinished(last) ? `${error.code}: ${error.message}` : status}`;
  } catch (error) {
    return `${id}  ${interrupt.aborted ? "interrupted" : reasonOf(error)}`;
  }
}

async function watchAll(
  service: PhotoService,
  print: (event: QueuedJobEvent) => void,
  interrupt: AbortSignal,
  terminal: Terminal,
): Promise<number> {
  const list = service.jobs({ first: 1, onEvent: print });
  return new Promise((resolve) => {
    let last: string | null = null;
    const stop = list.subscribe(() => {
      const { error, isLive, isLoading } = list.getSnapshot();
      const text = error && !isLive && !isLoading ? error.message : null;
      if (text !== null && text !== last) terminal.err(`${text}\n`);
      last = text;
    });
    interrupt.addEventListener("abort", () => {
      stop();
      resolve(0);
    });
  });
}
