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
        "Accepted and durable; waiting for a worker, for its run time, or for its next attempt.",
    },
    STARTED: { description: "A worker is running it." },
    SUCCESS: { description: "Done; its result is there." },
    FAILED: { description: "Given up; `error` says why. Its owner may send it again." },
    CANCELLED: { description: "Stopped by its owner, who may send it again." },
  },
});

const QueuedJobEventTypeEnum = toEnum([...LOGGED_EVENT_TYPES, "PROGRESS"] as const);

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

@ObjectType({ simpleResolvers: true, description: "Why an attempt failed." })
class JobError {
  @Field(() => String, {
    description:
      "What the task said, or TIMEOUT, STALLED, PHOTO_UNREADABLE, PHOTO_TOO_LARGE, TASK_FAILED.",
  })
  code!: string;

  @Extensions({ cost: 5 })
  @Field(() => String, { description: "A sentence for people." })
  message!: string;
}

@ObjectType({ simpleResolvers: true, description: "A file that a task made." })
export class OutputFile {
  @Field(() => String, { description: "Unique among the outputs of its QueuedJob." })
  name!: string;

  @Field(() => String, { description: "E.g. `image/webp`." })
  mimeType!: string;

  @Field(() => Int, { description: "Bytes of the file." })
  byteSize!: number;

  @Field(() => Int, { nullable: true, description: "Pixels; null where it is no picture." })
  width!: number | null;

  @Field(() => Int, { nullable: true, description: "Pixels; null where it is no picture." })
  height!: number | null;

  @Extensions({ cost: 3 })
  @Field(() => String, { description: "Signed, expiring URL of the bytes." })
  url!: string;
}

@ObjectType("QueuedJob", {
  simpleResolvers: true,
  implements: Node,
  description: "One submission of a Job, its state and its result.",
})
export class QueuedJobType {
  @Field(() => ID, { description: "UUIDv7." })
  id!: string;

  @Field(() => QueuedJobStatusEnum, { description: "Where it is in its life." })
  status!: QueuedJobStatus;

  @Field(() => JSONObject, {
    description:
      "As validated, with the defaults filled in. In events of a deleted one `{}` where " +
      "they are over 8 kB.",
  })
  parameters!: Record<string, unknown>;

  @Field(() => Int, { description: "0 to 100; higher runs first." })
  priority!: number;

  @Field(() => DateTime, {
    nullable: true,
    description: "Not before this instant, as it was given.",
  })
  runAt!: Instant | null;

  @Field(() => Float, {
    description: "0 to 1; never falls within one attempt; 1 when status is SUCCESS.",
  })
  progress!: number;

  @Field(() => String, {
    nullable: true,
    description: "What its task was doing last; null once it has finished.",
  })
  progressMessage!: string | null;

  @Field(() => Int, { description: "Attempts started so far." })
  attempts!: number;

  @Field(() => JSONValue, {
    nullable: true,
    description:
      "What the task returned; null until SUCCESS. In events of a deleted one null where " +
      "it is over 8 kB.",
  })
  result!: unknown;

  @Field(() => JobError, {
    nullable: true,
    description: "Why the last attempt failed; null when none has.",
  })
  error!: JobError | null;

  @Field(() => Int, {
    description: "Starts at 1 and grows by exactly 1 with every transition (progress is not one).",
  })
  version!: number;

  @Field(() => DateTime, { description: "When it was submitted." })
  createdAt!: Instant;

  @Field(() => DateTime, { description: "When anything about it last changed." })
  updatedAt!: Instant;

  @Field(() => DateTime, { nullable: true, description: "When its latest attempt began." })
  startedAt!: Instant | null;

  @Field(() => DateTime, { nullable: true, description: "When it ended." })
  finishedAt!: Instant | null;

  @Field(() => DateTime, { nullable: true, description: "When a finished one is purged." })
  expiresAt!: Instant | null;

  @Field(() => ID, {
    nullable: true,
    description: "The QueuedJob whose result this one took over instead of doing the work again.",
  })
  reusedFrom!: string | null;
}

@ObjectType("QueuedJobEvent", {
  simpleResolvers: true,
  description: "One step in the life of a QueuedJob.",
})
export class QueuedJobEventType {
  @Field(() => String, {
    description: "Resume point: pass it as `after` and the stream goes on with the next event.",
  })
  cursor!: string;

  @Field(() => QueuedJobEventTypeEnum, { description: "What happened." })
  type!: EventType;

  @Field(() => DateTime, { description: "When it happened." })
  at!: Instant;

  @Field(() => QueuedJobType, {
    description: "The QueuedJob as it was at this step, not as it is by now.",
  })
  queuedJob!: QueuedJobSnapshot;
}

const { ConnectionType, ConnectionResolver } = defineConnectionType("QueuedJob", QueuedJobType);
export const QueuedJobConnectionResolver = ConnectionResolver;

@ObjectType("QueuedJobConnection", {
  simpleResolvers: true,
  description: "A page of a list of QueuedJobs, and where the event stream stood when it was read.",
})
export class QueuedJobConnection extends ConnectionType {
  @Field(() => String, {
    description:
      "Where the event stream stood when the first page was read: subscribe with `after: " +
      "eventCursor` and nothing falls between. A later page (asked for with `after`) " +
      "repeats the first page's, so that a cache that keeps the last one loses nothing.",
  })
  eventCursor!: string;
}
