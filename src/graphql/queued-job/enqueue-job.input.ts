import { Field, ID, InputType, Int } from "type-graphql";
import type { Submission } from "../../services/queued-jobs/check-submission.js";
import { DateTime, JSONObject } from "../scalars.js";

@InputType({ description: "A submission of a Job." })
export class EnqueueJobInput {
  @Field(() => String, { description: "Name of the Job." })
  job!: string;

  @Field(() => JSONObject, {
    nullable: true,
    description: "Parameters that match the Job's `parameterSchema`. Default: `{}`.",
  })
  parameters?: Record<string, unknown> | null;

  @Field(() => [ID], {
    nullable: true,
    defaultValue: [],
    description: "Ids of your photos; the Job defines how many.",
  })
  photoIds?: string[] | null;

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

  @Field(() => String, {
    nullable: true,
    description:
      "Key of 1 to 200 characters. A second submission by the same user with the same key " +
      "returns the first QueuedJob.",
  })
  idempotencyKey?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description:
      "Set to true to run the task even if the result of an identical earlier submission " +
      "could be reused.",
  })
  fresh?: boolean | null;
}

export function toSubmission(input: EnqueueJobInput): Submission {
  return {
    job: input.job,
    parameters: input.parameters ?? {},
    photoIds: input.photoIds ?? [],
    priority: input.priority ?? 0,
    runAt: input.runAt ?? null,
    idempotencyKey: input.idempotencyKey ?? null,
    fresh: input.fresh ?? false,
  };
}
