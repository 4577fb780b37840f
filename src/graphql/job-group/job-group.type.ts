import { Field, ID, Int, ObjectType, registerEnumType } from "type-graphql";
import type { JobGroupStatus } from "../../domain/job-group.js";
import type { Instant } from "../../domain/queued-job.js";
import { Node } from "../node/node.type.js";
import { defineConnectionType } from "../paging/connection.js";
import { DateTime } from "../scalars.js";

export const JobGroupStatusEnum: Record<JobGroupStatus, JobGroupStatus> = {
  RUNNING: "RUNNING",
  SUCCESS: "SUCCESS",
  FAILED: "FAILED",
  CANCELLED: "CANCELLED",
};

registerEnumType(JobGroupStatusEnum, {
  name: "JobGroupStatus",
  description: "The state of a JobGroup.",
  valuesConfig: {
    RUNNING: { description: "Some of its QueuedJobs have not finished." },
    SUCCESS: { description: "All of its QueuedJobs succeeded." },
    FAILED: { description: "All have finished, and some FAILED." },
    CANCELLED: { description: "All have finished; none FAILED, and some were CANCELLED." },
  },
});

@ObjectType("JobGroup", {
  simpleResolvers: true,
  implements: Node,
  description: "QueuedJobs that were submitted together. It finishes with the last of them.",
})
export class JobGroupType {
  @Field(() => ID, { description: "UUIDv7." })
  id!: string;

  @Field(() => String, { nullable: true, description: "Name, as submitted." })
  name!: string | null;

  @Field(() => Int, { description: "Number of QueuedJobs that were submitted." })
  total!: number;

  @Field(() => Int, { description: "Number of PENDING ones." })
  pending!: number;

  @Field(() => Int, { description: "Number of STARTED ones." })
  started!: number;

  @Field(() => Int, { description: "Number of ones with SUCCESS." })
  succeeded!: number;

  @Field(() => Int, { description: "Number of FAILED ones." })
  failed!: number;

  @Field(() => Int, { description: "Number of CANCELLED ones." })
  cancelled!: number;

  @Field(() => DateTime, { description: "When it was submitted." })
  createdAt!: Instant;

  @Field(() => DateTime, { nullable: true, description: "When the last one finished." })
  finishedAt!: Instant | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      "When clean-up deletes it and its QueuedJobs; counted from its end, null until finished.",
  })
  expiresAt!: Instant | null;
}

const { ConnectionType, ConnectionResolver } = defineConnectionType("JobGroup", JobGroupType);
export const JobGroupConnectionResolver = ConnectionResolver;

@ObjectType("JobGroupConnection", {
  simpleResolvers: true,
  description: "A page of a list of JobGroups, with the position of the event stream.",
})
export class JobGroupConnection extends ConnectionType {
  @Field(() => String, {
    description: "Position of the event stream, as in QueuedJobConnection.",
  })
  eventCursor!: string;
}
