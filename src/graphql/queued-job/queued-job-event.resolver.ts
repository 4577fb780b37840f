import { Arg, Ctx, ID, Resolver, Root, Subscription } from "type-graphql";
import { decodeStreamCursor, encodeStreamCursor } from "../../domain/cursors.js";
import { InvalidInputError } from "../../domain/errors.js";
import type { DeliveredEvent } from "../../events/subscription.js";
import { parseId } from "../../services/reads/ids.js";
import type { Context } from "../context.js";
import { QueuedJobEventType } from "./queued-job.type.js";

interface Arguments {
  queuedJobId?: string | null;
  groupId?: string | null;
  after?: string | null;
  includeProgress?: boolean | null;
}

@Resolver()
export class QueuedJobEventResolver {
  @Subscription(() => QueuedJobEventType, {
    description:
      "The events of your QueuedJobs, in order, each exactly once, across reconnects and " +
      "server restarts. With `queuedJobId`, only the events of that QueuedJob: without " +
      "`after`, the stream starts with its last logged event and its current state; it " +
      "completes after the first terminal event. With `groupId`, only the events of that " +
      "JobGroup: without `after`, the stream starts with its last logged event; it completes " +
      "with the event that shows its end. Only PROGRESS events can be coalesced or missing.",
    subscribe: ({ args, context }: { args: Arguments; context: Context }) =>
      openStream(args, context),
  })
  queuedJobEvents(
    @Root() { event, cursorSeq, epoch }: DeliveredEvent,
    @Arg("queuedJobId", () => ID, {
      nullable: true,
      description: "Only the events of this QueuedJob.",
    })
    _queuedJobId: string | null,
    @Arg("groupId", () => ID, {
      nullable: true,
      description: "Only the events of this JobGroup. Not together with `queuedJobId`.",
    })
    _groupId: string | null,
    @Arg("after", () => String, {
      nullable: true,
      description:
        "The cursor of an event, or the `eventCursor` of a page: the stream continues behind " +
        "it. Without it, the stream of all QueuedJobs starts with the next event.",
    })
    _after: string | null,
    @Arg("includeProgress", () => Boolean, {
      nullable: true,
      defaultValue: true,
      description: "Set to false to omit PROGRESS events.",
    })
    _includeProgress: boolean | null,
    @Ctx() { user }: Context,
  ): QueuedJobEventType {
    return { ...event, cursor: encodeStreamCursor({ epoch, userId: user.id, seq: cursorSeq }) };
  }
}

function openStream(
  { queuedJobId, groupId, after, includeProgress }: Arguments,
  { user, feed }: Context,
): Promise<AsyncIterable<DeliveredEvent>> {
  if (queuedJobId != null && groupId != null)
    throw InvalidInputError.at(["groupId"], "must not be given with `queuedJobId`");
  return feed.open({
    userId: user.id,
    queuedJobId: queuedJobId == null ? null : parseId(queuedJobId, ["queuedJobId"]),
    groupId: groupId == null ? null : parseId(groupId, ["groupId"]),
    after: after == null ? null : decodeStreamCursor(after, user.id),
    includeProgress: includeProgress ?? true,
  });
}
