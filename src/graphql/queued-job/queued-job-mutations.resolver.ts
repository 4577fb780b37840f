import { Arg, Ctx, ID, Int, Mutation, Resolver } from "type-graphql";
import { InvalidInputError } from "../../domain/errors.js";
import type { QueuedJob } from "../../domain/queued-job.js";
import { parseId } from "../../services/reads/ids.js";
import type { Context } from "../context.js";
import { MAX_ROWS } from "../limits/limits.js";
import { EnqueueJobInput, toSubmission } from "./enqueue-job.input.js";
import { FILTER_OPTIONS, QueuedJobFilterInput, toFilter } from "./queued-job-filter.input.js";
import { QueuedJobType } from "./queued-job.type.js";

@Resolver()
export class QueuedJobMutationsResolver {
  @Mutation(() => QueuedJobType, {
    description: "Submits one. It is accepted and durable when this answers.",
  })
  async enqueueJob(
    @Arg("input", () => EnqueueJobInput, { description: "What to do." }) input: EnqueueJobInput,
    @Ctx() { user, queuedJobs, requestId }: Context,
  ): Promise<QueuedJob> {
    const [queuedJob] = await queuedJobs.enqueue(user.id, {
      submissions: [toSubmission(input)],
      requestId,
      single: true,
    });
    if (!queuedJob) throw new Error("One submission gave no QueuedJob");
    return queuedJob;
  }

  @Mutation(() => [QueuedJobType], { description: "1 to 100 at once: all are accepted or none." })
  async enqueueJobs(
    @Arg("inputs", () => [EnqueueJobInput], { description: "What to do, each." })
    inputs: EnqueueJobInput[],
    @Ctx() { user, queuedJobs, requestId }: Context,
  ): Promise<QueuedJob[]> {
    if (inputs.length < 1 || inputs.length > MAX_ROWS)
      throw InvalidInputError.at(
        ["inputs"],
        `must be 1 to ${MAX_ROWS}, these are ${inputs.length}`,
      );
    return queuedJobs.enqueue(user.id, {
      submissions: inputs.map(toSubmission),
      requestId,
      single: false,
    });
  }

  @Mutation(() => QueuedJobType, {
    description:
      "A waiting one never runs; a running one is CANCELLED at once and told to stop, " +
      "what it still produces is discarded. Idempotent on a cancelled one; CONFLICT on " +
      "another finished one.",
  })
  cancelQueuedJob(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<QueuedJob> {
    return queuedJobs.cancel(user, parseId(id));
  }

  @Mutation(() => QueuedJobType, { description: "A FAILED or CANCELLED one goes back to PENDING." })
  retryQueuedJob(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<QueuedJob> {
    return queuedJobs.retry(user, parseId(id));
  }

  @Mutation(() => ID, {
    description: "A finished one and its files are removed; CONFLICT on an unfinished one.",
  })
  async deleteQueuedJob(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<string> {
    const wanted = parseId(id);
    await queuedJobs.remove(user, wanted);
    return wanted;
  }

  @Mutation(() => Int, {
    description:
      "The first 1,000 unfinished ones that the filter takes; tells how many were cancelled.",
  })
  cancelQueuedJobs(
    @Arg("filter", () => QueuedJobFilterInput, FILTER_OPTIONS) filter: QueuedJobFilterInput | null,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<number> {
    return queuedJobs.cancelMany(user.id, toFilter(filter));
  }

  @Mutation(() => Int, {
    description:
      "The first 1,000 finished ones that the filter takes; tells how many were deleted.",
  })
  deleteQueuedJobs(
    @Arg("filter", () => QueuedJobFilterInput, FILTER_OPTIONS) filter: QueuedJobFilterInput | null,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<number> {
    return queuedJobs.removeMany(user.id, toFilter(filter));
  }
}
