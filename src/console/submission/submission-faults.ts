import { batch, signal, type ReadonlySignal } from "@preact/signals";
import { RequestError } from "../graphql-client.js";
import type { Issue } from "../types.js";
import { isAt } from "./parameter-field.js";

/** Why the last submission was refused. */
export interface SubmissionFaults {
  readonly issues: ReadonlySignal<readonly Issue[]>;
  /** Of a refusal that is no fault of the input. */
  readonly failure: ReadonlySignal<string | null>;
  show(error: unknown): void;
  clear(): void;
  /** What was wrong there is being mended. */
  clearAt(place: readonly string[]): void;
}

export function createSubmissionFaults(): SubmissionFaults {
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
