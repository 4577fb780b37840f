import { registerEnumType, Extensions, Field, Float, ID, Int, ObjectType } from "type-graphql";
import {
  LOGGED_EVENT_TYPES,
  QUEUED_JOB_STATUSES,
  type QueuedJobStatus,
  type QueuedJobEventType as EventType,
} from "../../domain/queued-job-status.js";
import type { Instant, QueuedJobSnapshot } from "../../domain/queued-job.js";
import { Node } from "../node/node.type.js";
import { DateTime, JSONObject, JSONValue } from "../scalars.js";
import { defineConnectionType } from "../paging/connection.js";

const toEnum = <Word extends string>(words: readonly Word[]) =>
  Object.fromEntries(words.map((word) => [word, word])) as Record<Word, Word>;

export const QueuedJobStatusEnum = toEnum(QUEUED_JOB_STATUSES);

registerEnumType(QueuedJobStatusEnum, {
  name: "QueuedJobStatus",
  description: "The state of a QueuedJob.",
  valuesConfig: {
    PENDING: {
      description:
        "Accepted and stored; waiting for a worker, for `runAt`, or for its next attempt.",
    },
    STARTED: { description: "A worker is running it." },
    SUCCESS: { description: "Finished; `result` and `outputs` are available." },
    FAILED: { description: "Failed finally; see `error`. Its owner can retry it." },
    CANCELLED: { description: "Stopped by its owner, who can retry it." },
  },
});

const QueuedJobEventTypeEnum = toEnum([...LOGGED_EVENT_TYPES, "PROGRESS"] as const);

registerEnumType(QueuedJobEventTypeEnum, {
  name: "QueuedJobEventType",
  description: "The kind of an event of a QueuedJob.",
  valuesConfig: {
    QUEUED: { description: "Submitted, or retried by its owner." },
    STARTED: { description: "A worker began an attempt." },
    PROGRESS: { description: "Progress of an attempt; can be coalesced, is not replayed." },
    RETRYING: { description: "An attempt failed or was lost; another one follows." },
    SUCCEEDED: { description: "Finished; `result` and `outputs` are available." },
    FAILED: { description: "Failed finally; see `error`." },
    CANCELLED: { description: "Stopped by its owner." },
    DELETED: { description: "Deleted by its owner or by clean-up; always the last event." },
  },
});

@ObjectType({ simpleResolvers: true, description: "The reason why an attempt failed." })
class JobError {
  @Field(() => String, {
    description:
      "Code from the task, or TIMEOUT, STALLED, PHOTO_UNREADABLE, PHOTO_TOO_LARGE, " +
      "PREDECESSOR_FAILED, TASK_FAILED.",
  })
  code!: string;

  @Extensions({ cost: 5 })
  @Field(() => String, { description: "Sentence that can be shown to users." })
  message!: string;
}

@ObjectType({ simpleResolvers: true, description: "A file created by a task." })
export class OutputFile {
  @Field(() => String, { description: "File name, unique among the outputs of its QueuedJob." })
  name!: string;

  @Field(() => String, { description: "For example `image/webp`." })
  mimeType!: string;

  @Field(() => Int, { description: "Size of the file in bytes." })
  byteSize!: number;

  @Field(() => Int, { nullable: true, description: "Width in pixels; null if not an image." })
  width!: number | null;

  @Field(() => Int, { nullable: true, description: "Height in pixels; null if not an image." })
  height!: number | null;

  @Extensions({ cost: 3 })
  @Field(() => String, { description: "Signed URL of the file; it expires." })
  url!: string;

  @Field(() => DateTime, { description: "When `url` expires; a later read returns a new URL." })
  urlExpiresAt!: Date;
}

@ObjectType("QueuedJob", {
  simpleResolvers: true,
  implements: Node,
  description: "One submission of a Job, with its state and result.",
})
export class QueuedJobType {
  @Field(() => ID, { description: "UUIDv7." })
  id!: string;

  @Field(() => QueuedJobStatusEnum, { description: "Current state." })
  status!: QueuedJobStatus;

  @Field(() => JSONObject, {
    description:
      "Validated parameters, including defaults. In events of a deleted QueuedJob: `{}` if " +
      "they exceed 8 kB.",
  })
  parameters!: Record<string, unknown>;

  @Field(() => Int, { description: "0 to 100; higher runs first." })
  priority!: number;

  @Field(() => DateTime, {
    nullable: true,
    description: "Earliest start, as submitted.",
  })
  runAt!: Instant | null;

  @Field(() => Float, {
    description: "0 to 1. It never decreases within one attempt, and is 1 when status is SUCCESS.",
  })
  progress!: number;

  @Field(() => String, {
    nullable: true,
    description: "Latest step reported by the task; null when finished.",
  })
  progressMessage!: string | null;

  @Field(() => Int, { description: "Number of attempts started so far." })
  attempts!: number;

  @Field(() => JSONValue, {
    nullable: true,
    description:
      "Return value of the task; null until SUCCESS. In events of a deleted QueuedJob: null " +
      "if it exceeds 8 kB.",
  })
  result!: unknown;

  @Field(() => JobError, {
    nullable: true,
    description: "Error of the last failed attempt; null if no attempt failed.",
  })
  error!: JobError | null;

  @Field(() => Int, {
    description:
      "Starts at 1 and grows by exactly 1 with each transition. Progress does not count.",
  })
  version!: number;

  @Field(() => DateTime, { description: "When it was submitted." })
  createdAt!: Instant;

  @Field(() => DateTime, { description: "When it last changed." })
  updatedAt!: Instant;

  @Field(() => DateTime, { nullable: true, description: "When its latest attempt started." })
  startedAt!: Instant | null;

  @Field(() => DateTime, { nullable: true, description: "When it finished." })
  finishedAt!: Instant | null;

  @Field(() => DateTime, {
    nullable: true,
    description: "When clean-up deletes it; null until finished.",
  })
  expiresAt!: Instant | null;

  @Field(() => ID, {
    nullable: true,
    description: "Id of the QueuedJob whose result was reused instead of running the task.",
  })
  reusedFrom!: string | null;
}

@ObjectType("QueuedJobEvent", {
  simpleResolvers: true,
  description: "A change of a QueuedJob.",
})
export class QueuedJobEventType {
  @Field(() => String, {
    description: "Resume point: pass it as `after` to continue with the next event.",
  })
  cursor!: string;

  @Field(() => QueuedJobEventTypeEnum, { description: "The kind of the event." })
  type!: EventType;

  @Field(() => DateTime, { description: "When it happened." })
  at!: Instant;

  @Field(() => QueuedJobType, {
    description: "The QueuedJob at the time of the event, not its current state.",
  })
  queuedJob!: QueuedJobSnapshot;
}

const { ConnectionType, ConnectionResolver } = defineConnectionType("QueuedJob", QueuedJobType);
export const QueuedJobConnectionResolver = ConnectionResolver;

@ObjectType("QueuedJobConnection", {
  simpleResolvers: true,
  description: "A page of a list of QueuedJobs, with the position of the event stream.",
})
export class QueuedJobConnection extends ConnectionType {
  @Field(() => String, {
    description:
      "Position of the event stream when the first page was read: subscribe with `after: " +
      "eventCursor` to miss no event. Later pages (requested with `after`) repeat the value of " +
      "the first page, so that a cache that keeps the last value misses no event.",
  })
  eventCursor!: string;
}
