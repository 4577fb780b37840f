import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { Job } from "../types.js";
import { parameterFields, type ParameterField } from "./parameter-field.js";

/** The chosen Job, and what was typed for each Job so far. */
export interface JobChoice {
  readonly job: ReadonlySignal<Job>;
  readonly fields: ReadonlySignal<ParameterField[]>;
  /** By parameter of the chosen Job. */
  readonly texts: ReadonlySignal<Readonly<Record<string, string>>>;
  choose(name: string): void;
  type(parameter: string, text: string): void;
}

export function createJobChoice(jobs: readonly Job[]): JobChoice {
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
