import type {
  GroupJobSubmission,
  GroupSubmission,
} from "../../../src/services/queued-jobs/groups/check-group.js";
import { submissionOf } from "./submission-of.js";

/** A group of `echo` jobs: each key with the keys that it follows, or with further values. */
export function groupOf(
  jobs: Record<string, readonly string[] | Partial<GroupJobSubmission>>,
  more: Partial<GroupSubmission> = {},
): GroupSubmission {
  const toJob = ([key, value]: [string, readonly string[] | Partial<GroupJobSubmission>]) => ({
    ...submissionOf(),
    key,
    photosFrom: [],
    after: [],
    runsAnyway: false,
    ...(Array.isArray(value) ? { after: [...(value as readonly string[])] } : value),
  });
  return { name: null, idempotencyKey: null, jobs: Object.entries(jobs).map(toJob), ...more };
}
