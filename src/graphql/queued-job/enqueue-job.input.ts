import { Field, ID, InputType, Int } from "type-graphql";
import type { Submission } from "../../services/queued-jobs/check-submission.js";
import { InvalidInputError } from "../../domain/errors.js";
import { DateTime, JSONObject } from "../scalars.js";
import type { TypedJobs } from "../typed-jobs/typed-jobs.js";

@InputType({ description: "A submission of a Job." })
export class EnqueueJobInput {
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

/**
 * Reads an input. Throws InvalidInputError unless exactly one of `job` and `run` is given; `at` is
 * the path of the input.
 */
export function toSubmission(
  input: EnqueueJobInput,
  typedJobs: TypedJobs,
  at: (string | number)[] = [],
): Submission {
  return {
    ...readJob(input, typedJobs, at),
    photoIds: input.photoIds ?? [],
    priority: input.priority ?? 0,
    runAt: input.runAt ?? null,
    idempotencyKey: input.idempotencyKey ?? null,
    fresh: input.fresh ?? false,
  };
}

function readJob(
  { job = null, parameters = null, run = null }: EnqueueJobInput,
  typedJobs: TypedJobs,
  at: (string | number)[],
): Pick<Submission, "job" | "parameters" | "run"> {
  if (run === null) {
    if (job !== null) return { job, parameters: parameters ?? {} };
    throw InvalidInputError.at([...at, "run"], "is required unless `job` is given");
  }
  if (job !== null || parameters !== null)
    throw InvalidInputError.at([...at, "run"], "must not be given with `job` or `parameters`");
  // The executor of frequent operations does not check that one field is given.
  const fields = Object.entries(run).filter(([, given]) => given != null);
  const [field, given] = fields.length === 1 ? (fields[0] ?? []) : [];
  const typed = field === undefined ? null : typedJobs.read(field, given);
  if (field === undefined || !typed)
    throw InvalidInputError.at([...at, "run"], "must name exactly one Job");
  return { ...typed, run: field };
}
