import { Arg, Ctx, ID, Resolver, Root, Subscription } from "type-graphql";
import { decodeStreamCursor, encodeStreamCursor } from "../../domain/cursors.js";
import type { ToldEvent } from "../../events/subscription.js";
import { parseId } from "../../services/reads/ids.js";
import type { Context } from "../context.js";
import { QueuedJobEventType } from "./queued-job.type.js";

interface Arguments {
  queuedJobId?: string | null;
  after?: string | null;
  includeProgress?: boolean | null;
}

@Resolver()
export class QueuedJobEventResolver {
  @Subscription(() => QueuedJobEventType, {
    description:
      "The events of one's own QueuedJobs, in order, each exactly once, across " +
      "reconnects and server restarts. With `queuedJobId`, those of one: without `after` " +
      "the first event is its last logged one with its present state; the stream " +
      "completes after its first terminal event. PROGRESS events may be coalesced or " +
      "missing; no other event may.",
    subscribe: ({ args, context }: { args: Arguments; context: Context }) =>
      openStream(args, context),
  })
  queuedJobEvents(
    @Root() { event, cursorSeq, epoch }: ToldEvent,
    @Arg("queuedJobId", () => ID, { nullable: true, description: "Only the events of this one." })
    _queuedJobId: string | null,
    @Arg("after", () => String, {
      nullable: true,
      description:
        "The cursor of an event, or the `eventCursor` of a page: the stream goes on " +
        "behind it. Without it, the whole feed begins with what happens from now on.",
    })
    _after: string | null,
    @Arg("includeProgress", () => Boolean, {
      nullable: true,
      defaultValue: true,
      description: "Whether PROGRESS is told.",
    })
    _includeProgress: boolean | null,
    @Ctx() { user }: Context,
  ): QueuedJobEventType {
    return { ...event, cursor: encodeStreamCursor({ epoch, userId: user.id, seq: cursorSeq }) };
  }
}

function openStream(
  { queuedJobId, after, includeProgress }: Arguments,
  { user, feed }: Context,
): Promise<AsyncIterable<ToldEvent>> {
  return feed.open({
    userId: user.id,
    queuedJobId: queuedJobId == null ? null : parseId(queuedJobId, ["queuedJobId"]),
    after: after == null ? null : decodeStreamCursor(after, user.id),
    includeProgress: includeProgress ?? true,
  });
}
