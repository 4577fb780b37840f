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
    description: "Submits a Job. The QueuedJob is stored before the mutation returns.",
  })
  async enqueueJob(
    @Arg("input", () => EnqueueJobInput, { description: "The submission." }) input: EnqueueJobInput,
    @Ctx() { user, queuedJobs, requestId, typedJobs }: Context,
  ): Promise<QueuedJob> {
    const [queuedJob] = await queuedJobs.enqueue(user.id, {
      submissions: [toSubmission(input, typedJobs)],
      requestId,
      single: true,
    });
    if (!queuedJob) throw new Error("The submission returned no QueuedJob");
    return queuedJob;
  }

  @Mutation(() => [QueuedJobType], {
    description: "Submits 1 to 100 Jobs: all are accepted or none.",
  })
  async enqueueJobs(
    @Arg("inputs", () => [EnqueueJobInput], { description: "The submissions, 1 to 100." })
    inputs: EnqueueJobInput[],
    @Ctx() { user, queuedJobs, requestId, typedJobs }: Context,
  ): Promise<QueuedJob[]> {
    if (inputs.length < 1 || inputs.length > MAX_ROWS)
      throw InvalidInputError.at(
        ["inputs"],
        `must have 1 to ${MAX_ROWS} entries; got ${inputs.length}`,
      );
    return queuedJobs.enqueue(user.id, {
      submissions: inputs.map((input, i) => toSubmission(input, typedJobs, [i])),
      requestId,
      single: false,
    });
  }

  @Mutation(() => QueuedJobType, {
    description:
      "Cancels a QueuedJob. If PENDING, it never runs. If STARTED, it becomes CANCELLED " +
      "immediately, the task is stopped, and its output is discarded. If already CANCELLED, " +
      "nothing changes. CONFLICT if it has finished otherwise.",
  })
  cancelQueuedJob(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<QueuedJob> {
    return queuedJobs.cancel(user, parseId(id));
  }

  @Mutation(() => QueuedJobType, {
    description: "Sets a FAILED or CANCELLED QueuedJob back to PENDING.",
  })
  retryQueuedJob(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<QueuedJob> {
    return queuedJobs.retry(user, parseId(id));
  }

  @Mutation(() => ID, {
    description: "Deletes a finished QueuedJob and its files. CONFLICT if it has not finished.",
  })
  async deleteQueuedJob(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<string> {
    const queuedJobId = parseId(id);
    await queuedJobs.remove(user, queuedJobId);
    return queuedJobId;
  }

  @Mutation(() => Int, {
    description:
      "Cancels up to 1,000 unfinished QueuedJobs that match the filter. Returns the number " +
      "of cancelled ones.",
  })
  cancelQueuedJobs(
    @Arg("filter", () => QueuedJobFilterInput, FILTER_OPTIONS) filter: QueuedJobFilterInput | null,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<number> {
    return queuedJobs.cancelMany(user.id, toFilter(filter));
  }

  @Mutation(() => Int, {
    description:
      "Retries up to 1,000 FAILED or CANCELLED QueuedJobs that match the filter, oldest first, " +
      "except those whose photo was deleted. Returns the number of retried ones. " +
      "QUOTA_EXCEEDED if there is no room for the first one.",
  })
  retryQueuedJobs(
    @Arg("filter", () => QueuedJobFilterInput, FILTER_OPTIONS) filter: QueuedJobFilterInput | null,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<number> {
    return queuedJobs.retryMany(user.id, toFilter(filter));
  }

  @Mutation(() => Int, {
    description:
      "Deletes up to 1,000 finished QueuedJobs that match the filter. Returns the number " +
      "of deleted ones.",
  })
  deleteQueuedJobs(
    @Arg("filter", () => QueuedJobFilterInput, FILTER_OPTIONS) filter: QueuedJobFilterInput | null,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<number> {
    return queuedJobs.removeMany(user.id, toFilter(filter));
  }
}
