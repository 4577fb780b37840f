import { Field, ObjectType } from "type-graphql";
import type { Instant, QueuedJobSnapshot } from "../../domain/queued-job.js";
import type { QueuedJobEventType as EventType } from "../../domain/queued-job-status.js";
import { DateTime } from "../scalars.js";
import { QueuedJobEventTypeEnum } from "./queued-job-status.enum.js";
import { QueuedJobType } from "./queued-job.type.js";

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
