import type { GraphQLResolveInfo } from "graphql";
import {
  Arg,
  Args,
  Ctx,
  Extensions,
  FieldResolver,
  ID,
  Info,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
} from "type-graphql";
import { encodeStreamCursor } from "../../domain/cursors.js";
import { ForbiddenError, InvalidInputError } from "../../domain/errors.js";
import type { Instant, QueuedJob, QueuedJobSnapshot } from "../../domain/queued-job.js";
import { parseId } from "../../services/reads/ids.js";
import type { Job } from "../../services/jobs/jobs.js";
import { outputKey } from "../../services/photos/output-key.js";
import type { Photo } from "../../services/photos/photos.js";
import { MAX_HISTORY, type LargeValues } from "../../services/reads/queued-job-reads.js";
import type { User } from "../../services/users/users.js";
import type { Context } from "../context.js";
import { loadersOf } from "../loaders.js";
import { JobType } from "../job/job.type.js";
import { MOST_ROWS } from "../limits/limits.js";
import { PageArgs } from "../paging/page.args.js";
import { PhotoType } from "../photo/photo.type.js";
import { signUrls } from "../photo/signed-urls.js";
import { DateTime } from "../scalars.js";
import { selectedFields } from "../selected-fields.js";
import { UserType } from "../user/user.type.js";
import { EnqueueJobInput, toSubmission } from "./enqueue-job.input.js";
import { listQueuedJobs, type QueuedJobList } from "./list-queued-jobs.js";
import { OutputFile } from "./output-file.type.js";
import { QueuedJobConnection } from "./queued-job-connection.type.js";
import { QueuedJobEventType } from "./queued-job-event.type.js";
import { QueuedJobFilterInput, toFilter } from "./queued-job-filter.input.js";
import { QueuedJobType } from "./queued-job.type.js";

/** Of one QueuedJob, as the tasks bound them. */
const MAX_PHOTOS = 100;
const MAX_OUTPUTS = 12;

const FILTER = { nullable: true, description: "Which ones; all without it." } as const;

@Resolver(() => QueuedJobType)
export class QueuedJobResolver {
  @Query(() => QueuedJobType, {
    nullable: true,
    description:
      "One's own, or anybody's for an admin; null when there is none or it is not yours to see.",
  })
  queuedJob(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<QueuedJob | null> {
    return queuedJobs.find(user, parseId(id));
  }

  @Query(() => QueuedJobConnection, {
    description:
      "One's own, newest first; an admin may ask for another user's or, with `allUsers`, " +
      "everybody's.",
  })
  queuedJobs(
    @Args(() => PageArgs) args: PageArgs,
    @Arg("filter", () => QueuedJobFilterInput, FILTER) filter: QueuedJobFilterInput | null,
    @Arg("userId", () => ID, { nullable: true, description: "Whose; another's for admins only." })
    userId: string | null,
    @Arg("allUsers", () => Boolean, {
      nullable: true,
      defaultValue: false,
      description: "Everybody's; for admins only.",
    })
    allUsers: boolean | null,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<QueuedJobList> {
    return listQueuedJobs(
      context,
      args,
      {
        userId: chooseOwner(context.user, userId ?? null, allUsers ?? false),
        photoId: null,
        filter,
      },
      info,
    );
  }

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
    if (inputs.length < 1 || inputs.length > MOST_ROWS)
      throw InvalidInputError.at(
        ["inputs"],
        `must be 1 to ${MOST_ROWS}, these are ${inputs.length}`,
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
    @Arg("filter", () => QueuedJobFilterInput, FILTER) filter: QueuedJobFilterInput | null,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<number> {
    return queuedJobs.cancelMany(user.id, toFilter(filter));
  }

  @Mutation(() => Int, {
    description:
      "The first 1,000 finished ones that the filter takes; tells how many were deleted.",
  })
  deleteQueuedJobs(
    @Arg("filter", () => QueuedJobFilterInput, FILTER) filter: QueuedJobFilterInput | null,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<number> {
    return queuedJobs.removeMany(user.id, toFilter(filter));
  }

  @FieldResolver()
  parameters(@Root() row: QueuedJobSnapshot, @Ctx() context: Context): object | Promise<object> {
    return row.parameters ?? loadLarge(context, row).then((large) => large?.parameters ?? {});
  }

  @FieldResolver()
  result(@Root() row: QueuedJobSnapshot, @Ctx() context: Context): unknown {
    if (row.result !== undefined) return row.result;
    return loadLarge(context, row).then((large) => large?.result ?? null);
  }

  @FieldResolver(() => JobType, { description: "What was submitted." })
  job(@Root() { jobName }: QueuedJob, @Ctx() { jobs }: Context): Job | Promise<Job> {
    return jobs.known(jobName) ?? jobs.get(jobName);
  }

  @FieldResolver(() => UserType, { description: "Who submitted it." })
  user(@Root() { userId }: QueuedJob, @Ctx() context: Context): User | Promise<User> {
    return userId === context.user.id ? context.user : loadOwner(context, userId);
  }

  @Extensions({ maxItems: MAX_PHOTOS })
  @FieldResolver(() => [PhotoType], {
    description: "What it works on; photos that were deleted are left out.",
  })
  async photos(
    @Root() { id, photoCount }: QueuedJob,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Photo[]> {
    if (photoCount === 0) return [];
    const photos = await loadersOf(context).photos.load(id);
    context.budget.takeNodes(photos.length);
    await signUrls(context.fileUrls, photos, selectedFields(info, [[]]));
    return photos;
  }

  @Extensions({ maxItems: MAX_OUTPUTS })
  @FieldResolver(() => [OutputFile], {
    description: "Files that the task made; empty until SUCCESS.",
  })
  async outputs(
    @Root() { id, userId, status, attempts, outputs }: QueuedJob,
    @Ctx() context: Context,
  ): Promise<OutputFile[]> {
    const files =
      outputs ?? (status === "SUCCESS" ? await loadersOf(context).outputs.load(id) : []);
    context.budget.takeNodes(files.length);
    return Promise.all(
      files.map(async (file) => ({
        ...file,
        url: await context.fileUrls.urlOf({
          ...file,
          kind: "outputs",
          id,
          storageKey: outputKey({ id, userId, attempts }, file.name),
        }),
      })),
    );
  }

  @Extensions({ maxItems: MAX_HISTORY })
  @FieldResolver(() => [QueuedJobEventType], {
    description:
      "Its logged events, oldest first (PROGRESS is not logged); at most the newest 100.",
  })
  async history(
    @Root() { id, userId }: QueuedJob,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<QueuedJobEventType[]> {
    const key = { queuedJobId: id, snapshots: selectedFields(info, [[]]).has("queuedJob") };
    const [epoch, events] = await Promise.all([
      context.eventLog.epoch(),
      loadersOf(context).histories.load(key),
    ]);
    context.budget.takeNodes(events.length);
    return events.map((event) => ({
      ...event,
      cursor: encodeStreamCursor({ epoch, userId, seq: event.seq }),
    }));
  }

  @Extensions({ cost: 10 })
  @FieldResolver(() => Int, {
    nullable: true,
    description:
      "While it waits: about how many others are expected to start first; null otherwise.",
  })
  queuePosition(@Root() row: QueuedJob, @Ctx() context: Context): null | Promise<number | null> {
    return row.status === "PENDING"
      ? loadersOf(context)
          .places.load(row)
          .then((place) => place?.position ?? null)
      : null;
  }

  @Extensions({ cost: 10 })
  @FieldResolver(() => DateTime, {
    nullable: true,
    description:
      "While it waits: about when it starts, judged by how fast its like went lately; " +
      "null when unknown.",
  })
  estimatedStartAt(
    @Root() row: QueuedJob,
    @Ctx() context: Context,
  ): null | Promise<Instant | null> {
    const { status, runAt } = row;
    if (status !== "PENDING") return null;
    const later = runAt !== null && Date.parse(runAt) > Date.now() ? runAt : null;
    return loadersOf(context)
      .places.load(row)
      .then((place) => (place ? place.startsAt : later));
  }
}

function chooseOwner(user: User, userId: string | null, allUsers: boolean): string | null {
  const wanted = userId === null ? user.id : parseId(userId, ["userId"]);
  if (user.role !== "ADMIN" && (allUsers || wanted !== user.id))
    throw new ForbiddenError("Only an admin may see QueuedJobs of others.");
  return allUsers ? null : wanted;
}

/** What a snapshot left out; null when the row is gone. */
async function loadLarge(
  context: Context,
  { id, userId }: QueuedJobSnapshot,
): Promise<LargeValues | null> {
  const row = await loadersOf(context).largeValues.load(id);
  return row?.userId === userId ? row : null;
}

async function loadOwner(context: Context, id: string): Promise<User> {
  const owner = await loadersOf(context).users.load(id);
  if (!owner) throw new Error("The owner of a QueuedJob is gone");
  return owner;
}
