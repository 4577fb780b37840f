import { Extensions, Field, Float, ID, Int, ObjectType } from "type-graphql";
import type { Instant } from "../../domain/queued-job.js";
import type { QueuedJobStatus } from "../../domain/queued-job-status.js";
import { Node } from "../node/node.type.js";
import { DateTime, JSONObject, JSONValue } from "../scalars.js";
import { QueuedJobStatusEnum } from "./queued-job-status.enum.js";

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
