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
  Query,
  Resolver,
  Root,
} from "type-graphql";
import { encodeStreamCursor } from "../../domain/cursors.js";
import { ForbiddenError } from "../../domain/errors.js";
import type { JobGroup } from "../../domain/job-group.js";
import {
  type Instant,
  type QueuedJob,
  type QueuedJobSnapshot,
  outputKey,
} from "../../domain/queued-job.js";
import { parseId } from "../../services/reads/ids.js";
import type { Job } from "../../services/jobs/jobs.js";
import type { Photo } from "../../services/photos/photos.js";
import { MAX_HISTORY, type LargeValues } from "../../services/reads/queued-job-reads.js";
import type { User } from "../../services/users/users.js";
import type { Context } from "../context.js";
import { JobGroupType } from "../job-group/job-group.type.js";
import { loadersOf } from "../loaders.js";
import { JobType } from "../job/job.type.js";
import { PageArgs } from "../paging/page-request.js";
import { PhotoType } from "../photo/photo.type.js";
import { signUrls } from "../photo/signed-urls.js";
import { DateTime } from "../scalars.js";
import { selectedFields, listQueuedJobs, type QueuedJobList } from "./list-queued-jobs.js";
import { UserType } from "../user/user.type.js";
import {
  QueuedJobConnection,
  QueuedJobEventType,
  OutputFile,
  QueuedJobType,
} from "./queued-job.type.js";
import { FILTER_OPTIONS, QueuedJobFilterInput } from "./queued-job-filter.input.js";

/** Upper bounds per QueuedJob; the tasks enforce them, except those that copy their photos. */
const MAX_PHOTOS = 100;
const MAX_OUTPUTS = 12;

@Resolver(() => QueuedJobType)
export class QueuedJobResolver {
  @Query(() => QueuedJobType, {
    nullable: true,
    description:
      "A QueuedJob by id: your own, or any for an admin. Null if it does not exist or is not " +
      "visible to you.",
  })
  queuedJob(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<QueuedJob | null> {
    return queuedJobs.find(user, parseId(id));
  }

  @Query(() => QueuedJobConnection, {
    description:
      "Your QueuedJobs, newest first. An admin can list those of another user (`userId`) or of " +
      "all users (`allUsers`).",
  })
  queuedJobs(
    @Args(() => PageArgs) args: PageArgs,
    @Arg("filter", () => QueuedJobFilterInput, FILTER_OPTIONS) filter: QueuedJobFilterInput | null,
    @Arg("userId", () => ID, { nullable: true, description: "Owner. Another user: admins only." })
    userId: string | null,
    @Arg("allUsers", () => Boolean, {
      nullable: true,
      defaultValue: false,
      description: "Set to true to list the QueuedJobs of all users. Admins only.",
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

  @FieldResolver()
  parameters(@Root() row: QueuedJobSnapshot, @Ctx() context: Context): object | Promise<object> {
    return row.parameters ?? loadLarge(context, row).then((large) => large?.parameters ?? {});
  }

  @FieldResolver()
  result(@Root() row: QueuedJobSnapshot, @Ctx() context: Context): unknown {
    if (row.result !== undefined) return row.result;
    return loadLarge(context, row).then((large) => large?.result ?? null);
  }

  /** The field `typedResult`, which is defined with the types of the Jobs. */
  typedResult(row: QueuedJobSnapshot, context: Context): object | null | Promise<object | null> {
    if (row.status !== "SUCCESS") return null;
    const toTyped = (result: unknown) => readTyped(row, result, context);
    const result = this.result(row, context);
    return result instanceof Promise ? result.then(toTyped) : toTyped(result);
  }

  @FieldResolver(() => JobType, { description: "The submitted Job." })
  job(@Root() { jobName }: QueuedJob, @Ctx() { jobs }: Context): Job | Promise<Job> {
    return jobs.known(jobName) ?? jobs.get(jobName);
  }

  @FieldResolver(() => UserType, { description: "The owner." })
  user(@Root() { userId }: QueuedJob, @Ctx() context: Context): User | Promise<User> {
    return userId === context.user.id ? context.user : loadOwner(context, userId);
  }

  @FieldResolver(() => JobGroupType, {
    nullable: true,
    description: "Its group; in an event, with the counts as they were at that step.",
  })
  group(@Root() { member }: QueuedJob): JobGroup | null {
    return member?.group ?? null;
  }

  @FieldResolver(() => String, { nullable: true, description: "Its key within the group." })
  key(@Root() { member }: QueuedJob): string | null {
    return member?.key ?? null;
  }

  @FieldResolver(() => Int, {
    description:
      "Number of QueuedJobs that must finish first. It is PENDING and not due until this is 0.",
  })
  waitingFor(@Root() { member }: QueuedJob): number {
    return member?.waitingFor ?? 0;
  }

  @Extensions({ maxItems: MAX_PHOTOS })
  @FieldResolver(() => [PhotoType], {
    description: "Its input photos, without deleted ones.",
  })
  async photos(
    @Root() { id, photoCount }: QueuedJob,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Photo[]> {
    if (photoCount === 0) return [];
    // The cost of an operation assumes MAX_PHOTOS. Each photo above that counts five times, before
    // it is read, because an archive may have five times as many.
    context.budget.takeNodes(photoCount + 4 * Math.max(0, photoCount - MAX_PHOTOS));
    const photos = await loadersOf(context).photos.load(id);
    await signUrls(context.fileUrls, photos, selectedFields(info, [[]]));
    return photos;
  }

  @Extensions({ maxItems: MAX_OUTPUTS })
  @FieldResolver(() => [OutputFile], {
    description: "Files created by the task; empty until SUCCESS.",
  })
  async outputs(
    @Root() { id, userId, status, attempts, outputs }: QueuedJob,
    @Ctx() context: Context,
  ): Promise<OutputFile[]> {
    const files =
      outputs ?? (status === "SUCCESS" ? await loadersOf(context).outputs.load(id) : []);
    context.budget.takeNodes(files.length);
    const urlExpiresAt = context.fileUrls.expiry();
    return Promise.all(
      files.map(async (file) => {
        const storageKey = outputKey({ id, userId, attempts }, file.name);
        const address = { ...file, kind: "outputs", id, storageKey } as const;
        return {
          ...file,
          url: await context.fileUrls.urlOf(address, urlExpiresAt),
          urlExpiresAt,
        };
      }),
    );
  }

  @Extensions({ maxItems: MAX_HISTORY })
  @FieldResolver(() => [QueuedJobEventType], {
    description: "The newest 100 logged events, oldest first. PROGRESS events are not logged.",
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
      "Estimated number of QueuedJobs that start before this one; null unless PENDING, and while " +
      "paused.",
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
      "Estimated start, based on recent runs of the same Job; null if unknown, not PENDING, or " +
      "paused.",
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
  const ownerId = userId === null ? user.id : parseId(userId, ["userId"]);
  if (user.role !== "ADMIN" && (allUsers || ownerId !== user.id))
    throw new ForbiddenError("Only an admin can list QueuedJobs of other users.");
  return allUsers ? null : ownerId;
}

/** Loads the values that a snapshot omits; null when the row no longer exists. */
async function loadLarge(
  context: Context,
  { id, userId }: QueuedJobSnapshot,
): Promise<LargeValues | null> {
  const row = await loadersOf(context).largeValues.load(id);
  return row?.userId === userId ? row : null;
}

function readTyped(
  { id, jobName }: QueuedJobSnapshot,
  result: unknown,
  context: Context,
): object | null {
  if (result === null) return null;
  context.budget.takeValue(result);
  const typed = context.typedJobs.toTyped(jobName, result);
  if (!typed) {
    const message = `The result of an earlier "${jobName}" does not match its type any more.`;
    (context.warnings ??= []).push({ queuedJobId: id, message });
  }
  return typed;
}

async function loadOwner(context: Context, id: string): Promise<User> {
  const owner = await loadersOf(context).users.load(id);
  if (!owner) throw new Error(`The owner ${id} of a QueuedJob does not exist`);
  return owner;
}
