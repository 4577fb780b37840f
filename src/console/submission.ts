import { batch, computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { RequestError, type Ask } from "./graphql-client.js";
import { ENQUEUE_MANY, ENQUEUE_ONE } from "./operations.js";
import {
  isAt,
  parameterFields,
  readField,
  readNumber,
  type ParameterField,
} from "./parameter-field.js";
import type { Issue, Job, QueuedJob } from "./types.js";

export interface Operation {
  query: string;
  variables: object;
}

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
  /** How many QueuedJobs that makes; 0 when photos are missing. */
  readonly count: ReadonlySignal<number>;
  choose(name: string): void;
  type(parameter: string, text: string): void;
  /** What was wrong there is being mended. */
  clearFaultsAt(place: readonly string[]): void;
  send(): Promise<void>;
}

export interface SubmissionOptions {
  ask: Ask;
  jobs: readonly Job[];
  photoIds: ReadonlySignal<readonly string[]>;
  onSubmitted(queuedJobs: QueuedJob[]): void;
}

/** More at once the service does not take. */
const MOST_AT_ONCE = 100;

export function createSubmission({
  ask,
  jobs,
  photoIds,
  onSubmitted,
}: SubmissionOptions): Submission {
  const name = signal(
    jobs.find((job) => job.name === "thumbnail" && job.enabled)?.name ?? jobs[0]?.name ?? "",
  );
  const textsOfAll = signal<Record<string, Record<string, string>>>({});
  const [priority, runAt, fresh] = [signal(""), signal(""), signal(false)];
  const issues = signal<readonly Issue[]>([]);
  const failure = signal<string | null>(null);
  const isSending = signal(false);
  // Anew for each submission: who presses twice because no answer came submits once.
  const key = signal(newKey());

  const job = computed(() => jobs.find((candidate) => candidate.name === name.value) as Job);
  const fields = computed(() => parameterFields(job.value));
  const texts = computed(() => textsOfAll.value[name.value] ?? {});
  const groups = computed(() => photoGroups(job.value, photoIds.value));
  const operation = computed(() =>
    toOperation(
      groups.value.map((ids, i) => ({
        job: name.value,
        ...withoutEmpty({ parameters: readAll(fields.value, texts.value), photoIds: ids }),
        ...(priority.value && { priority: readNumber(priority.value) }),
        ...(runAt.value && { runAt: new Date(runAt.value).toISOString() }),
        ...(fresh.value && { fresh: true }),
        idempotencyKey: groups.value.length === 1 ? key.value : `${key.value}-${i}`,
      })),
    ),
  );

  function clearFaults(): void {
    batch(() => {
      issues.value = [];
      failure.value = null;
    });
  }

  function clearFaultsAt(place: readonly string[]): void {
    if (issues.value.some((issue) => isAt(issue, place)))
      issues.value = issues.value.filter((issue) => !isAt(issue, place));
  }

  async function send(): Promise<void> {
    clearFaults();
    isSending.value = true;
    try {
      const { query, variables } = operation.value;
      const { enqueueJob, enqueueJobs } = await ask<{
        enqueueJob?: QueuedJob;
        enqueueJobs?: QueuedJob[];
      }>(query, variables);
      key.value = newKey();
      onSubmitted(enqueueJobs ?? (enqueueJob ? [enqueueJob] : []));
    } catch (error) {
      if (error instanceof RequestError && error.issues.length > 0) issues.value = error.issues;
      else failure.value = error instanceof Error ? error.message : String(error);
      // A key that was used with other arguments cannot be used again.
      if (error instanceof RequestError && error.code === "IDEMPOTENCY_CONFLICT")
        key.value = newKey();
    } finally {
      isSending.value = false;
    }
  }

  return {
    jobs,
    job,
    fields,
    texts,
    priority,
    runAt,
    fresh,
    issues,
    failure,
    isSending,
    operation,
    send,
    clearFaultsAt,
    count: computed(() => (isEnough(job.value, photoIds.value.length) ? groups.value.length : 0)),
    choose(chosen) {
      clearFaults();
      name.value = chosen;
    },
    type(parameter, text) {
      clearFaultsAt(["parameters", parameter]);
      textsOfAll.value = {
        ...textsOfAll.value,
        [name.value]: { ...texts.value, [parameter]: text },
      };
    },
  };
}

/** The photos of each QueuedJob: one photo each, all in one, or none. */
function photoGroups({ maxPhotos }: Job, ids: readonly string[]): (readonly string[])[] {
  if (maxPhotos === 0 || ids.length === 0) return [[]];
  return maxPhotos > 1 ? [ids.slice(0, maxPhotos)] : ids.slice(0, MOST_AT_ONCE).map((id) => [id]);
}

function isEnough({ minPhotos }: Job, count: number): boolean {
  return count >= minPhotos;
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

/** Not `randomUUID`, which a page has over HTTPS and on its own machine only. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
