import { Field, ID, InputType, Int, registerEnumType } from "type-graphql";
import type {
  GroupJobSubmission,
  GroupSubmission,
} from "../../services/queued-jobs/groups/check-group.js";
import { toSubmission } from "../queued-job/enqueue-job.input.js";
import { DateTime, JSONObject } from "../scalars.js";
import type { TypedJobs } from "../typed-jobs/typed-jobs.js";

const IfPredecessorFails = { CANCEL: "CANCEL", RUN: "RUN" } as const;

registerEnumType(IfPredecessorFails, {
  name: "IfPredecessorFails",
  description: "The effect on a QueuedJob when one that it follows FAILED or was CANCELLED.",
  valuesConfig: {
    CANCEL: {
      description:
        "It is CANCELLED with the error code PREDECESSOR_FAILED, and so is what waits for it.",
    },
    RUN: { description: "It runs all the same, with the photos that there are." },
  },
});

@InputType({ description: "Pictures that a job of the same group makes, as photos of this job." })
export class PhotosFromInput {
  @Field(() => String, { description: "Key of the job that makes the pictures." })
  key!: string;

  @Field(() => [String], {
    nullable: true,
    description: "Names of its outputs. Default: all of its pictures.",
  })
  outputs?: string[] | null;
}

@InputType({ description: "A submission of a Job as part of a group." })
export class GroupJobInput {
  @Field(() => String, { description: "1 to 100 characters, unique within the group." })
  key!: string;

  @Field(() => String, { nullable: true, description: "Name of the Job: either this or `run`." })
  job?: string | null;

  @Field(() => JSONObject, {
    nullable: true,
    description: "With `job`: parameters that match its `parameterSchema`. Default: `{}`.",
  })
  parameters?: Record<string, unknown> | null;

  /** A JobInput. Its field is defined with the types of the Jobs, not here. */
  run?: Record<string, unknown> | null;

  @Field(() => [ID], {
    nullable: true,
    defaultValue: [],
    description: "Ids of your photos; they come before those of `photosFrom`.",
  })
  photoIds?: string[] | null;

  @Field(() => [PhotosFromInput], {
    nullable: true,
    defaultValue: [],
    description: "Pictures of other jobs of the group, in this order.",
  })
  photosFrom?: PhotosFromInput[] | null;

  @Field(() => [String], {
    nullable: true,
    defaultValue: [],
    description: "Keys of jobs that must finish first; those of `photosFrom` are implied.",
  })
  after?: string[] | null;

  @Field(() => IfPredecessorFails, {
    nullable: true,
    defaultValue: "CANCEL",
    description: "The effect of a job that it follows and that does not succeed. Default: CANCEL.",
  })
  ifPredecessorFails?: keyof typeof IfPredecessorFails | null;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 0,
    description: "0 (default) to 100; higher runs first.",
  })
  priority?: number | null;

  @Field(() => DateTime, {
    nullable: true,
    description: "Earliest start, up to one year ahead. A past instant means now.",
  })
  runAt?: Date | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: "Set to true to run the task even if an earlier result could be reused.",
  })
  fresh?: boolean | null;
}

@InputType({ description: "A submission of a group." })
export class EnqueueGroupInput {
  @Field(() => String, { nullable: true, description: "Name of 1 to 200 characters." })
  name?: string | null;

  @Field(() => [GroupJobInput], { description: "1 to 500 jobs: all are accepted or none." })
  jobs!: GroupJobInput[];

  @Field(() => String, {
    nullable: true,
    description:
      "Key of 1 to 200 characters. A second submission by the same user with the same key " +
      "returns the first JobGroup.",
  })
  idempotencyKey?: string | null;
}

/** Throws InvalidInputError unless exactly one of `job` and `run` is given for each job. */
export function toGroupSubmission(
  { name = null, idempotencyKey = null, jobs }: EnqueueGroupInput,
  typedJobs: TypedJobs,
): GroupSubmission {
  const toJob = (input: GroupJobInput, i: number): GroupJobSubmission => ({
    ...toSubmission(input, typedJobs, ["jobs", i]),
    key: input.key,
    photosFrom: (input.photosFrom ?? []).map(({ key, outputs = null }) => ({ key, outputs })),
    after: input.after ?? [],
    runsAnyway: input.ifPredecessorFails === "RUN",
  });
  return { name, idempotencyKey, jobs: jobs.map(toJob) };
}
