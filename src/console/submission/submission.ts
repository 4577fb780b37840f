import { computed, signal, type ReadonlySignal, type Signal, batch } from "@preact/signals";
import { RequestError, type Ask } from "../graphql-client.js";
import type { Issue, Job, QueuedJob } from "../types.js";
import {
  type ParameterField,
  parameterFields,
  isAt,
  readField,
  readNumber,
} from "./parameter-field.js";
import { ENQUEUE_MANY, ENQUEUE_ONE } from "../operations.js";

export interface Submission {
  readonly jobs: readonly Job[];
  readonly job: ReadonlySignal<Job>;
  readonly fields: ReadonlySignal<ParameterField[]>;
  /** What was typed, by parameter, of the chosen Job. */
  readonly texts: ReadonlySignal<Readonly<Record<string, string>>>;
  readonly priority: Signal<string>;
  /** Local date and time, as the browser's control gives it. */
  readonly runAt: Signal<string>;
  /** Whether the work is done even where an earlier result could be taken over. */
  readonly fresh: Signal<boolean>;
  readonly issues: ReadonlySignal<readonly Issue[]>;
  /** Of a refusal that is no fault of the input. */
  readonly failure: ReadonlySignal<string | null>;
  readonly isSending: ReadonlySignal<boolean>;
  /** Exactly what `send` sends. */
  readonly operation: ReadonlySignal<Operation>;
  /** How many QueuedJobs that makes; 0 extras photos are missing. */
  readonly count: ReadonlySignal<number>;
  choose(name: string): void;
  type(parameter: string, text: string): void;
  /** What was wrong there is being mended. */
  clearFaultsAt(place: readonly string[]): void;
  send(): Promise<void>;
}

interface SubmissionOptions {
  ask: Ask;
  jobs: readonly Job[];
  photoIds: ReadonlySignal<readonly string[]>;
  onSubmitted(queuedJobs: QueuedJob[]): void;
}

export function createSubmission(options: SubmissionOptions): Submission {
  const { ask, jobs, photoIds, onSubmitted } = options;
  const faults = createSubmissionFaults();
  const choice = createJobChoice(jobs);
  const extras = { priority: signal(""), runAt: signal(""), fresh: signal(false) };
  const isSending = signal(false);
  // A new one for each submission: who presses twice because no answer came submits once.
  const key = signal(newKey());

  const operation = computed(() =>
    buildOperation({
      job: choice.job.value,
      fields: choice.fields.value,
      texts: choice.texts.value,
      photoIds: photoIds.value,
      priority: extras.priority.value,
      runAt: extras.runAt.value,
      fresh: extras.fresh.value,
      key: key.value,
    }),
  );

  async function send(): Promise<void> {
    faults.clear();
    isSending.value = true;
    try {
      const queuedJobs = await submit(ask, operation.value);
      key.value = newKey();
      onSubmitted(queuedJobs);
    } catch (error) {
      faults.show(error);
      // A key that was used with other arguments cannot be used again.
      if (error instanceof RequestError && error.code === "IDEMPOTENCY_CONFLICT")
        key.value = newKey();
    } finally {
      isSending.value = false;
    }
  }

  return {
    jobs,
    ...choice,
    ...extras,
    isSending,
    operation,
    send,
    issues: faults.issues,
    failure: faults.failure,
    clearFaultsAt: faults.clearAt,
    count: computed(() => countSubmitted(choice.job.value, photoIds.value)),
    choose(name) {
      faults.clear();
      choice.choose(name);
    },
    type(parameter, text) {
      faults.clearAt(["parameters", parameter]);
      choice.type(parameter, text);
    },
  };
}

async function submit(ask: Ask, { query, variables }: Operation): Promise<QueuedJob[]> {
  const { enqueueJob, enqueueJobs } = await ask<{
    enqueueJob?: QueuedJob;
    enqueueJobs?: QueuedJob[];
  }>(query, variables);
  return enqueueJobs ?? (enqueueJob ? [enqueueJob] : []);
}

/** Not `randomUUID`, which a page has over HTTPS and on its own machine only. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** The chosen Job, and what was typed for each Job so far. */
interface JobChoice {
  readonly job: ReadonlySignal<Job>;
  readonly fields: ReadonlySignal<ParameterField[]>;
  /** By parameter of the chosen Job. */
  readonly texts: ReadonlySignal<Readonly<Record<string, string>>>;
  choose(name: string): void;
  type(parameter: string, text: string): void;
}

function createJobChoice(jobs: readonly Job[]): JobChoice {
  const name = signal(
    jobs.find((job) => job.name === "thumbnail" && job.enabled)?.name ?? jobs[0]?.name ?? "",
  );
  const textsByJob = signal<Record<string, Record<string, string>>>({});
  const job = computed(() => jobs.find((candidate) => candidate.name === name.value) as Job);
  const texts = computed(() => textsByJob.value[name.value] ?? {});
  return {
    job,
    fields: computed(() => parameterFields(job.value)),
    texts,
    choose(chosen) {
      name.value = chosen;
    },
    type(parameter, text) {
      textsByJob.value = {
        ...textsByJob.value,
        [name.value]: { ...texts.value, [parameter]: text },
      };
    },
  };
}

/** Why the last submission was refused. */
interface SubmissionFaults {
  readonly issues: ReadonlySignal<readonly Issue[]>;
  /** Of a refusal that is no fault of the input. */
  readonly failure: ReadonlySignal<string | null>;
  show(error: unknown): void;
  clear(): void;
  /** What was wrong there is being mended. */
  clearAt(place: readonly string[]): void;
}

function createSubmissionFaults(): SubmissionFaults {
  const issues = signal<readonly Issue[]>([]);
  const failure = signal<string | null>(null);
  return {
    issues,
    failure,
    show(error) {
      if (error instanceof RequestError && error.issues.length > 0) issues.value = error.issues;
      else failure.value = error instanceof Error ? error.message : String(error);
    },
    clear: () =>
      batch(() => {
        issues.value = [];
        failure.value = null;
      }),
    clearAt(place) {
      if (issues.value.some((issue) => isAt(issue, place)))
        issues.value = issues.value.filter((issue) => !isAt(issue, place));
    },
  };
}

interface Operation {
  query: string;
  variables: object;
}

/** The service takes at most this many at once. */
const MAX_CONCURRENCY = 100;

/** What submits one QueuedJob for each group of photos. */
function buildOperation(form: {
  job: Job;
  fields: readonly ParameterField[];
  texts: Readonly<Record<string, string>>;
  photoIds: readonly string[];
  priority: string;
  runAt: string;
  fresh: boolean;
  key: string;
}): Operation {
  const { job, fields, texts, photoIds, priority, runAt, fresh, key } = form;
  const groups = photoGroups(job, photoIds);
  const inputs = groups.map((ids, i) => ({
    job: job.name,
    ...withoutEmpty({ parameters: readAll(fields, texts), photoIds: ids }),
    ...(priority && { priority: readNumber(priority) }),
    ...(runAt && { runAt: new Date(runAt).toISOString() }),
    ...(fresh && { fresh: true }),
    idempotencyKey: groups.length === 1 ? key : `${key}-${i}`,
  }));
  return toOperation(inputs);
}

/** How many QueuedJobs the operation makes; 0 when photos are missing. */
function countSubmitted(job: Job, photoIds: readonly string[]): number {
  return photoIds.length < job.minPhotos ? 0 : photoGroups(job, photoIds).length;
}

/** The photos of each QueuedJob: one photo each, all in one, or none. */
function photoGroups({ maxPhotos }: Job, ids: readonly string[]): (readonly string[])[] {
  if (maxPhotos === 0 || ids.length === 0) return [[]];
  return maxPhotos > 1
    ? [ids.slice(0, maxPhotos)]
    : ids.slice(0, MAX_CONCURRENCY).map((id) => [id]);
}

function readAll(
  fields: readonly ParameterField[],
  texts: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return Object.fromEntries(
    fields
      .map((field) => [field.name, readField(field, texts[field.name])] as const)
      .filter(([, value]) => value !== undefined),
  );
}

function withoutEmpty(input: { parameters: object; photoIds: readonly string[] }): object {
  return {
    ...(Object.keys(input.parameters).length > 0 && { parameters: input.parameters }),
    ...(input.photoIds.length > 0 && { photoIds: input.photoIds }),
  };
}

function toOperation(inputs: object[]): Operation {
  return inputs.length === 1
    ? { query: ENQUEUE_ONE, variables: { input: inputs[0] } }
    : { query: ENQUEUE_MANY, variables: { inputs } };
}
