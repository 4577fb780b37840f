import type { Submission } from "../../../src/services/queued-jobs/check-submission.js";

/** A submission of the Job `echo` with the given changes. */
export function submissionOf(submission: Partial<Submission> = {}): Submission {
  return {
    job: "echo",
    parameters: {},
    photoIds: [],
    priority: 0,
    runAt: null,
    idempotencyKey: null,
    fresh: false,
    ...submission,
  };
}
