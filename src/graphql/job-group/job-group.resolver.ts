import {
  Arg,
  Args,
  Ctx,
  Extensions,
  FieldResolver,
  Float,
  ID,
  Mutation,
  Query,
  Resolver,
  Root,
} from "type-graphql";
import { encodePageCursor, encodeStreamCursor, malformedCursor } from "../../domain/cursors.js";
import { jobGroupStatus, type JobGroup, type JobGroupStatus } from "../../domain/job-group.js";
import type { Member } from "../../services/reads/group-reads.js";
import { parseId } from "../../services/reads/ids.js";
import type { Context } from "../context.js";
import { loadersOf } from "../loaders.js";
import { createConnection, MAX_COUNTED, type Connection } from "../paging/connection.js";
import { PageArgs, parsePageRequest, parseUuidPageRequest } from "../paging/page-request.js";
import {
  FILTER_OPTIONS,
  QueuedJobFilterInput,
  toFilter,
} from "../queued-job/queued-job-filter.input.js";
import { LIST_COST } from "../queued-job/list-queued-jobs.js";
import { QueuedJobConnection } from "../queued-job/queued-job.type.js";
import { EnqueueGroupInput, toGroupSubmission } from "./enqueue-group.input.js";
import { JobGroupConnection, JobGroupStatusEnum, JobGroupType } from "./job-group.type.js";

@Resolver(() => JobGroupType)
export class JobGroupResolver {
  @Query(() => JobGroupType, {
    nullable: true,
    description:
      "A JobGroup by id: your own, or any for an admin. Null if it does not exist or is not " +
      "visible to you.",
  })
  jobGroup(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<JobGroup | null> {
    return queuedJobs.findGroup(user, parseId(id));
  }

  @Query(() => JobGroupConnection, { description: "Your JobGroups, newest first." })
  async jobGroups(
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { user, groupReads, eventLog, budget }: Context,
  ): Promise<Connection<JobGroup> & { eventCursor: string }> {
    const request = parseUuidPageRequest(args, { userId: user.id, list: "jobGroups" });
    const epoch = await eventLog.epoch();
    const page = await groupReads.page(user.id, request);
    budget.takeNodes(page.rows.length);
    const stream = request.stream ?? { epoch, seq: page.lastSeq };
    const connection = createConnection({
      page,
      cursorOf: ({ id }) =>
        encodePageCursor({ userId: user.id, list: "jobGroups", key: id, stream }),
      countTotal: () => groupReads.count(user.id, MAX_COUNTED),
    });
    return { ...connection, eventCursor: encodeStreamCursor({ ...stream, userId: user.id }) };
  }

  @Mutation(() => JobGroupType, {
    description:
      "Submits 1 to 500 Jobs as a group: all are accepted or none. BAD_USER_INPUT with a path " +
      "for each fault, such as a cycle, an unknown key, or too many photos.",
  })
  enqueueGroup(
    @Arg("input", () => EnqueueGroupInput, { description: "The submission." })
    input: EnqueueGroupInput,
    @Ctx() { user, queuedJobs, requestId, typedJobs }: Context,
  ): Promise<JobGroup> {
    return queuedJobs.enqueueGroup(user.id, {
      submission: toGroupSubmission(input, typedJobs),
      requestId,
    });
  }

  @Mutation(() => JobGroupType, {
    description: "Cancels what is unfinished. A finished JobGroup stays as it is.",
  })
  cancelGroup(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<JobGroup> {
    return queuedJobs.cancelGroup(user, parseId(id));
  }

  @Mutation(() => JobGroupType, {
    description:
      "Retries what FAILED or was CANCELLED, with what depends on it; never what succeeded. " +
      "CONFLICT if it is RUNNING or SUCCESS.",
  })
  retryGroup(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<JobGroup> {
    return queuedJobs.retryGroup(user, parseId(id));
  }

  @Mutation(() => ID, {
    description:
      "Deletes a finished JobGroup with its QueuedJobs and their files. CONFLICT while it runs.",
  })
  async deleteGroup(
    @Arg("id", () => ID, { description: "A UUID." }) id: string,
    @Ctx() { user, queuedJobs }: Context,
  ): Promise<string> {
    const groupId = parseId(id);
    await queuedJobs.removeGroup(user, groupId);
    return groupId;
  }

  @FieldResolver(() => JobGroupStatusEnum, { description: "Current state." })
  status(@Root() group: JobGroup): JobGroupStatus {
    return jobGroupStatus(group);
  }

  @Extensions({ cost: 5 })
  @FieldResolver(() => Float, {
    description: "Mean progress of its QueuedJobs, 0 to 1; finished ones count as 1.",
  })
  progress(@Root() group: JobGroup, @Ctx() context: Context): number | Promise<number> {
    const { id, total, pending, started, live, progress } = group;
    if (live && pending + started > 0) return loadersOf(context).groupProgress.load(id);
    return progress ?? (total - pending - started) / total;
  }

  @Extensions({ cost: LIST_COST })
  @FieldResolver(() => QueuedJobConnection, {
    description: "Its QueuedJobs, in the order of submission.",
  })
  async queuedJobs(
    @Root() { id: groupId }: JobGroup,
    @Args(() => PageArgs) args: PageArgs,
    @Arg("filter", () => QueuedJobFilterInput, FILTER_OPTIONS) filter: QueuedJobFilterInput | null,
    @Ctx() { user, groupReads, eventLog, budget }: Context,
  ): Promise<Connection<Member> & { eventCursor: string }> {
    const list = "groupMembers";
    const { key, stream: earlier, ...range } = parsePageRequest(args, { userId: user.id, list });
    const place = key === null ? null : placeOf(key, groupId, range.backward);
    const epoch = await eventLog.epoch();
    const query = { groupId, readerId: user.id, filter: toFilter(filter), place, ...range };
    const page = await groupReads.members(query);
    budget.takeNodes(page.rows.length);
    const stream = earlier ?? { epoch, seq: page.lastSeq };
    const connection = createConnection({
      page,
      cursorOf: (row) =>
        encodePageCursor({ userId: user.id, list, key: `${groupId} ${row.place}`, stream }),
      countTotal: () => groupReads.countMembers(groupId, query.filter),
    });
    return { ...connection, eventCursor: encodeStreamCursor({ ...stream, userId: user.id }) };
  }
}

/** Reads the place in a cursor of this group. */
function placeOf(key: string, groupId: string, backward: boolean): number {
  const [id, place = ""] = key.split(" ");
  if (id !== groupId || !/^[0-9]{1,3}$/.test(place))
    throw malformedCursor(backward ? "before" : "after");
  return Number(place);
}
