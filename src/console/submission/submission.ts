import { computed, signal, type ReadonlySignal, type Signal, batch } from "@preact/signals";
import {
  IdempotencyConflictError,
  PhotoServiceError,
  type InputIssue,
  type Query,
} from "../../../client/src/index.js";
import type { JobGroup } from "../../../client/src/groups/index.js";
import { messageOf } from "../in-words.js";
import type { Job, QueuedJob } from "../types.js";
import {
  buildOperation,
  countJobs,
  type FilledForm,
  maxPhotosOf,
  type Operation,
} from "./operation.js";
import { isAt, type ParameterField, parameterFields, textOf } from "./parameter-field.js";
import { recipesOf } from "./recipes.js";

export interface Submission {
  readonly jobs: readonly Job[];
  readonly recipes: readonly Job[];
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
  /** The operation that `send` sends. */
  readonly operation: ReadonlySignal<Operation>;
  /** Number of QueuedJobs that the operation creates; 0 if photos are missing. */
  readonly count: ReadonlySignal<number>;
  /** Maximum photos of the operation, which uses the first of them. */
  readonly maxPhotos: ReadonlySignal<number>;
  /** Ignores names of Jobs that do not exist. */
  choose(name: string): void;
  /** Chooses a Job with the parameters of an earlier submission. */
  fill(name: string, parameters: object): void;
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
  onSubmitted(submitted: Submitted): void;
}

/** One of them: several jobs are submitted as a group. */
export interface Submitted {
  enqueueJob?: QueuedJob;
  enqueueGroup?: JobGroup;
}

export function createSubmission(options: SubmissionOptions): Submission {
  const { ask, jobs, photoIds, onSubmitted } = options;
  const faults = createSubmissionFaults();
  const recipes = recipesOf(jobs);
  const choices = [...jobs, ...recipes];
  const choice = createJobChoice(choices);
  const extras = { priority: signal(""), runAt: signal(""), fresh: signal(false) };
  const isSending = signal(false);
  // A second press before the response reuses the key, so that the job is submitted once.
  const key = signal(newKey());

  const operation = computed(() =>
    buildOperation(filledForm({ ...choice, ...extras, photoIds, key })),
  );
  async function send(): Promise<void> {
    faults.clear();
    isSending.value = true;
    try {
      const { query, variables } = operation.value;
      const submitted = await ask<Submitted>(query, variables);
      key.value = newKey();
      onSubmitted(submitted);
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
    recipes,
    ...choice,
    ...extras,
    isSending,
    operation,
    send,
    issues: faults.issues,
    failure: faults.failure,
    clearFaultsAt: faults.clearAt,
    count: computed(() => countJobs(choice.job.value, photoIds.value.length)),
    maxPhotos: computed(() => maxPhotosOf(choice.job.value)),
    clearFailure: faults.clearFailure,
    choose(name) {
      if (name === choice.job.peek().name || !choices.some((job) => job.name === name)) return;
      faults.clear();
      choice.choose(name);
    },
    fill(name, parameters) {
      faults.clear();
      choice.fill(name, parameters);
    },
    type(parameter, text) {
      faults.clearAt(["parameters", parameter]);
      choice.type(parameter, text);
    },
  };
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
  fill(name: string, parameters: object): void;
  type(parameter: string, text: string): void;
}

function createJobChoice(jobs: readonly Job[]): JobChoice {
  const name = signal(
    jobs.find((job) => job.name === "thumbnail" && job.enabled)?.name ?? jobs[0]?.name ?? "",
  );
  const textsByJob = signal<Record<string, Record<string, string>>>({});
  const job = computed(() => jobs.find((candidate) => candidate.name === name.value) as Job);
  const texts = computed(() => textsByJob.value[name.value] ?? {});
  function write(written: Record<string, string>): void {
    textsByJob.value = { ...textsByJob.value, [name.value]: written };
  }
  return {
    job,
    fields: computed(() => parameterFields(job.value)),
    texts,
    choose(chosen) {
      name.value = chosen;
    },
    fill(chosen, parameters) {
      name.value = chosen;
      const written = Object.entries(parameters).map(([each, value]) => [each, textOf(value)]);
      write(Object.fromEntries(written));
    },
    type: (parameter, text) => write({ ...texts.value, [parameter]: text }),
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
