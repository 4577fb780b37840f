import { Field, ID, InputType, Int } from "type-graphql";
import type { Submission } from "../../services/queued-jobs/check-submission.js";
import { DateTime, JSONObject } from "../scalars.js";

@InputType({ description: "A submission of a Job." })
export class EnqueueJobInput {
  @Field(() => String, { description: "Name of the Job." })
  job!: string;

  @Field(() => JSONObject, {
    nullable: true,
    description: "As the Job's `parameterSchema` says; `{}` when left out.",
  })
  parameters?: Record<string, unknown> | null;

  @Field(() => [ID], {
    nullable: true,
    defaultValue: [],
    description: "One's own photos, as many as the Job takes.",
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
    description: "Not before this instant; up to a year ahead, the past means now.",
  })
  runAt?: Date | null;

  @Field(() => String, {
    nullable: true,
    description:
      "The same key by the same user returns the first submission instead of making " +
      "another. 1 to 200 characters.",
  })
  idempotencyKey?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description:
      "Do the work again even if an earlier result of the same Job, parameters and " +
      "photos could be reused.",
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
