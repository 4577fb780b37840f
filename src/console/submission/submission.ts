import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { RequestError, type Ask } from "../graphql-client.js";
import type { Issue, Job, QueuedJob } from "../types.js";
import { createJobChoice } from "./job-choice.js";
import { buildOperation, countSubmitted, type Operation } from "./operation.js";
import type { ParameterField } from "./parameter-field.js";
import { createSubmissionFaults } from "./submission-faults.js";

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

export interface SubmissionOptions {
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
