import { computed, signal, type ReadonlySignal, type Signal, batch } from "@preact/signals";
import {
  IdempotencyConflictError,
  PhotoServiceError,
  type InputIssue,
  type Query,
} from "../../../client/src/index.js";
import { messageOf } from "../in-words.js";
import type { Job, QueuedJob } from "../types.js";
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
  /** Entered text by parameter, for the selected Job. */
  readonly texts: ReadonlySignal<Readonly<Record<string, string>>>;
  readonly priority: Signal<string>;
  /** Local date and time in the format of the browser's control. */
  readonly runAt: Signal<string>;
  /** True runs the job even if an identical job's result could be reused. */
  readonly fresh: Signal<boolean>;
  readonly issues: ReadonlySignal<readonly InputIssue[]>;
  /** Message of a refusal that the input did not cause. */
  readonly failure: ReadonlySignal<string | null>;
  readonly isSending: ReadonlySignal<boolean>;
  /** The operation that `send` sends; of many QueuedJobs, the one with the first of them. */
  readonly operation: ReadonlySignal<Operation>;
  /** Number of QueuedJobs that were accepted so far, while several operations are sent. */
  readonly sent: ReadonlySignal<number>;
  /** Number of QueuedJobs that the operation creates; 0 if photos are missing. */
  readonly count: ReadonlySignal<number>;
  /** Ignores names of Jobs that do not exist. */
  choose(name: string): void;
  type(parameter: string, text: string): void;
  /** Removes the message of a refusal, e.g. when the service can be reached again. */
  clearFailure(): void;
  /** Called when the user corrects the input at that place. */
  clearFaultsAt(place: readonly string[]): void;
  send(): Promise<void>;
}

interface SubmissionOptions {
  ask: Query;
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
  // A second press before the response reuses the key, so that the job is submitted once.
  const key = signal(newKey());

  const sent = signal(0);
  const form = computed(() => filledForm({ ...choice, ...extras, photoIds, key }));
  async function send(): Promise<void> {
    faults.clear();
    isSending.value = true;
    sent.value = 0;
    try {
      const queuedJobs = await submitAll(ask, form.value, (count) => {
        sent.value = count;
      });
      key.value = newKey();
      onSubmitted(queuedJobs);
    } catch (error) {
      faults.show(error);
      // The service refuses a key that was used with other arguments.
      if (error instanceof IdempotencyConflictError) key.value = newKey();
    } finally {
      isSending.value = false;
    }
  }

  return {
    jobs,
    ...choice,
    ...extras,
    isSending,
    operation: computed(() => buildOperation(form.value, 0)),
    sent,
    send,
    issues: faults.issues,
    failure: faults.failure,
    clearFaultsAt: faults.clearAt,
    count: computed(() => countSubmitted(choice.job.value, photoIds.value)),
    clearFailure: faults.clearFailure,
    choose(name) {
      if (name === choice.job.peek().name || !jobs.some((job) => job.name === name)) return;
      faults.clear();
      choice.choose(name);
    },
    type(parameter, text) {
      faults.clearAt(["parameters", parameter]);
      choice.type(parameter, text);
    },
  };
}

/** Operations that were sent before a failure are sent again: their keys make that harmless. */
async function submitAll(
  ask: Query,
  form: FilledForm,
  onProgress: (count: number) => void,
): Promise<QueuedJob[]> {
  const queuedJobs: QueuedJob[] = [];
  const total = countSubmitted(form.job, form.photoIds);
  do {
    queuedJobs.push(...(await submit(ask, buildOperation(form, queuedJobs.length))));
    onProgress(queuedJobs.length);
  } while (queuedJobs.length < total);
  return queuedJobs;
}

async function submit(ask: Query, { query, variables }: Operation): Promise<QueuedJob[]> {
  const { enqueueJob, enqueueJobs } = await ask<{
    enqueueJob?: QueuedJob;
    enqueueJobs?: QueuedJob[];
  }>(query, variables);
  return enqueueJobs ?? (enqueueJob ? [enqueueJob] : []);
}

/** `randomUUID` cannot be used here: it exists only over HTTPS and on localhost. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** The selected Job, and the text entered for each Job. */
interface JobChoice {
  readonly job: ReadonlySignal<Job>;
  readonly fields: ReadonlySignal<ParameterField[]>;
  /** Entered text by parameter of the selected Job. */
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

/** Reasons why the last submission was refused. */
interface SubmissionFaults {
  readonly issues: ReadonlySignal<readonly InputIssue[]>;
  /** Message of a refusal that the input did not cause. */
  readonly failure: ReadonlySignal<string | null>;
  show(error: unknown): void;
  clear(): void;
  clearFailure(): void;
  /** Called when the user corrects the input at that place. */
  clearAt(place: readonly string[]): void;
}

function createSubmissionFaults(): SubmissionFaults {
  const issues = signal<readonly InputIssue[]>([]);
  const failure = signal<string | null>(null);
  return {
    issues,
    failure,
    show(error) {
      if (error instanceof PhotoServiceError && error.issues.length > 0)
        issues.value = error.issues;
      else failure.value = messageOf(error);
    },
    clear: () =>
      batch(() => {
        issues.value = [];
        failure.value = null;
      }),
    clearFailure() {
      failure.value = null;
    },
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

/** Maximum number of QueuedJobs in one request. */
const MAX_BATCH_SIZE = 100;

type FormSignals = { [Name in keyof FilledForm]: ReadonlySignal<FilledForm[Name]> };

function filledForm(signals: FormSignals): FilledForm {
  return {
    job: signals.job.value,
    fields: signals.fields.value,
    texts: signals.texts.value,
    photoIds: signals.photoIds.value,
    priority: signals.priority.value,
    runAt: signals.runAt.value,
    fresh: signals.fresh.value,
    key: signals.key.value,
  };
}

interface FilledForm {
  job: Job;
  fields: readonly ParameterField[];
  texts: Readonly<Record<string, string>>;
  photoIds: readonly string[];
  priority: string;
  runAt: string;
  fresh: boolean;
  key: string;
}

/** Builds the operation that submits QueuedJobs, one for each group of photos, from an index on. */
function buildOperation(form: FilledForm, from: number): Operation {
  const { job, fields, texts, photoIds, priority, runAt, fresh, key } = form;
  const groups = photoGroups(job, photoIds);
  const inputs = groups.slice(from, from + MAX_BATCH_SIZE).map((ids, i) => ({
    job: job.name,
    ...withoutEmpty({ parameters: readAll(fields, texts), photoIds: ids }),
    ...(priority && { priority: readNumber(priority) }),
    ...(runAt && { runAt: new Date(runAt).toISOString() }),
    ...(fresh && { fresh: true }),
    idempotencyKey: groups.length === 1 ? key : `${key}-${from + i}`,
  }));
  return toOperation(inputs);
}

/** Number of QueuedJobs that the operation creates; 0 if photos are missing. */
function countSubmitted(job: Job, photoIds: readonly string[]): number {
  return photoIds.length < job.minPhotos ? 0 : photoGroups(job, photoIds).length;
}

/** The photos of each QueuedJob: one photo each, all photos in one QueuedJob, or none. */
function photoGroups({ maxPhotos }: Job, ids: readonly string[]): (readonly string[])[] {
  if (maxPhotos === 0 || ids.length === 0) return [[]];
  return maxPhotos > 1 ? [ids.slice(0, maxPhotos)] : ids.map((id) => [id]);
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
