import { registerEnumType } from "type-graphql";
import { LOGGED_EVENT_TYPES, QUEUED_JOB_STATUSES } from "../../domain/queued-job-status.js";

const toEnum = <Word extends string>(words: readonly Word[]) =>
  Object.fromEntries(words.map((word) => [word, word])) as Record<Word, Word>;

export const QueuedJobStatusEnum = toEnum(QUEUED_JOB_STATUSES);

registerEnumType(QueuedJobStatusEnum, {
  name: "QueuedJobStatus",
  description: "The state of a QueuedJob.",
  valuesConfig: {
    PENDING: {
      description:
        "Accepted and durable; waiting for a worker, for its run time, or for its next attempt.",
    },
    STARTED: { description: "A worker is running it." },
    SUCCESS: { description: "Done; its result is there." },
    FAILED: { description: "Given up; `error` says why. Its owner may send it again." },
    CANCELLED: { description: "Stopped by its owner, who may send it again." },
  },
});

export const QueuedJobEventTypeEnum = toEnum([...LOGGED_EVENT_TYPES, "PROGRESS"] as const);

registerEnumType(QueuedJobEventTypeEnum, {
  name: "QueuedJobEventType",
  description: "What happened to a QueuedJob.",
  valuesConfig: {
    QUEUED: { description: "Submitted, or sent again by its owner." },
    STARTED: { description: "A worker began an attempt." },
    PROGRESS: { description: "Best effort: coalesced, not replayed." },
    RETRYING: { description: "An attempt failed or was lost; it runs again." },
    SUCCEEDED: { description: "Done; its result is there." },
    FAILED: { description: "Given up; `error` says why." },
    CANCELLED: { description: "Stopped by its owner." },
    DELETED: { description: "Removed by its owner or by clean-up; always its last." },
  },
});
