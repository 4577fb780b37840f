// Serves the subscribers of this process. A subscriber is a position, not a queue. It pulls the
// events after its position from its user's ring buffer, otherwise from the log. Notifications,
// reconnects and the watchdog only start this pulling. So a slow reader costs no memory, and lost,
// repeated or reordered notifications do no harm.
import type { Logger } from "../runtime/logger.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";
import type { EventBus } from "./event-bus.js";
import { type EventLog, HEADS_PER_QUERY } from "./event-log.js";
import { ChannelSubscription, type Subscription } from "./subscription.js";
import { createUserChannels, type UserChannel } from "./user-channels.js";
import { CursorExpiredError, NotFoundError } from "../domain/errors.js";
import { createMicroBatch } from "../runtime/micro-batch.js";
import type { Channel } from "./channel.js";

export interface FeedRequest extends StartRequest {
  includeProgress: boolean;
}

export interface Feed {
  /**
   * Throws NotFoundError if the user has no such QueuedJob. Throws QuotaExceededError if the user
   * has the maximum number of streams. Throws CursorExpiredError if the stream cannot be resumed
   * from `after`.
   *
   * The stream itself ends with CursorExpiredError when it falls behind the kept events, or when
   * the database's history changes.
   */
  open(request: FeedRequest): Promise<Subscription>;
  /** Throws QuotaExceededError if this user has the maximum number of streams, like `open`. */
  assertRoom(userId: string): void;
  /** Number of open streams. */
  readonly subscribers: number;
  close(): Promise<void>;
}

/** Maximum delay that a lost notification can cause. */
const WATCHDOG_MS = 2000;
const SUBSCRIPTIONS_PER_USER = 500;

export interface FeedOptions {
  bus: EventBus;
  eventLog: EventLog;
  log: Logger;
  watchdogMs?: number;
  /** Maximum open streams per user in this process; default 500. */
  subscriptionsPerUser?: number;
  /** Called with the delay since recording for each delivered event, replays excepted. */
  onDelivered?: (lagSeconds: number) => void;
  /** Called when a user with a stream here was deleted. */
  onGone?: (userId: string) => void;
}

export function createFeed(options: FeedOptions): Feed {
  const { bus, eventLog, log, onGone = () => {} } = options;
  const onDelivered = options.onDelivered && reportLag(options.onDelivered);
  const headOf = createHeadReads(eventLog);
  const subscriptionsPerUser = options.subscriptionsPerUser ?? SUBSCRIPTIONS_PER_USER;
  const channels = createUserChannels({ bus, eventLog, log, onGone, subscriptionsPerUser });
  const open = new Set<Subscription>();

  bus.onNotification(channels.receive);
  bus.onReconnect(() => void channels.check());
  const everyMs = options.watchdogMs ?? WATCHDOG_MS;
  const watchdog = setInterval(() => void channels.check(), everyMs).unref();

  async function openOn(
    { channel, epoch }: UserChannel,
    request: FeedRequest,
  ): Promise<Subscription> {
    // Listen before reading, so that no event is missed between the two.
    const start = await findStart({ eventLog, channel, headOf, epoch }, request);
    const subscription = new ChannelSubscription({
      ...start,
      epoch,
      queuedJobId: request.queuedJobId,
      includeProgress: request.includeProgress,
      channel,
      onDelivered,
      onEnd: () => {
        open.delete(subscription);
        channels.leave(request.userId);
      },
    });
    open.add(subscription);
    return subscription;
  }

  return {
    async open(request) {
      const userChannel = await channels.enter(request.userId);
      try {
        return await openOn(userChannel, request);
      } catch (error) {
        channels.leave(request.userId);
        throw error;
      }
    },
    assertRoom: channels.assertRoom,
    get subscribers() {
      return open.size;
    },
    async close() {
      clearInterval(watchdog);
      await Promise.all([...open].map((subscription) => subscription.return()));
      await channels.settled();
    },
  };
}

/** An event is delivered to many subscribers in a row, so its time is parsed once. */
function reportLag(onDelivered: (lagSeconds: number) => void): (event: QueuedJobEvent) => void {
  let [at, recorded] = ["", 0];
  return (event) => {
    if (event.at !== at) [at, recorded] = [event.at, Date.parse(event.at)];
    onDelivered((Date.now() - recorded) / 1000);
  };
}

interface StartRequest {
  userId: string;
  /** QueuedJob to follow; the stream ends with its first terminal event. Null follows all. */
  queuedJobId: string | null;
  /** Position to resume after; null starts with the next event. */
  after: { epoch: string; seq: number } | null;
}

/** The start of a stream: its first events, the position after them, and whether it ends there. */
interface Start {
  seq: number;
  first: QueuedJobEvent[];
  to: number;
  ended: boolean;
}

interface Sources {
  eventLog: EventLog;
  channel: Channel;
  headOf: (userId: string) => Promise<number>;
  epoch: string;
}

/** Throws the errors of `Feed.open`. */
function findStart(sources: Sources, { userId, queuedJobId, after }: StartRequest): Promise<Start> {
  if (after) return startBehind(sources, { userId, queuedJobId, after });
  return queuedJobId === null
    ? startNow(sources, userId)
    : startWithPresent(sources, userId, queuedJobId);
}

async function startBehind(
  { eventLog, channel, epoch }: Sources,
  { userId, queuedJobId, after }: StartRequest & { after: NonNullable<StartRequest["after"]> },
): Promise<Start> {
  const { seq } = after;
  if (after.epoch !== epoch) throw expired();
  if (queuedJobId === null && channel.covers(seq)) return { seq, first: [], to: seq, ended: false };
  let page = await channel.page(seq, queuedJobId);
  // Another subscriber may have requested this page before the log reached this position.
  if (seq > page.last) page = await channel.page(seq, queuedJobId);
  if (seq < page.floor || seq > page.last) throw expired();
  if (queuedJobId === null || page.events.length > 0)
    return { seq, first: page.events, to: page.to, ended: false };
  const present = await eventLog.present(userId, queuedJobId);
  if (!present) throw new NotFoundError("There is no such QueuedJob.");
  // If the QueuedJob finished after the page was read, its terminal event follows.
  return { seq, first: [], to: seq, ended: present.finished && present.lastSeq <= seq };
}

async function startNow({ channel, headOf }: Sources, userId: string): Promise<Start> {
  const notifications = channel.notifications;
  const seq = await headOf(userId);
  channel.confirmHead(seq, notifications);
  return { seq, first: [], to: seq, ended: false };
}

async function startWithPresent(
  { eventLog, channel }: Sources,
  userId: string,
  queuedJobId: string,
): Promise<Start> {
  const notifications = channel.notifications;
  const present = await eventLog.present(userId, queuedJobId);
  if (!present) throw new NotFoundError("There is no such QueuedJob.");
  channel.confirmHead(present.head, notifications);
  const { seq } = present.event;
  return { seq, first: [present.event], to: seq, ended: present.finished };
}

/**
 * Many subscribers arrive at once, especially after a restart. Those that arrive during a query
 * share the next one.
 */
function createHeadReads(eventLog: EventLog): (userId: string) => Promise<number> {
  let requests = 0;
  return createMicroBatch<string, number>({
    lanes: 1,
    maxItems: HEADS_PER_QUERY,
    laneOf: () => "",
    // A batch may contain the same user twice.
    keyOf: () => String(requests++),
    sendOne: async (userId) => (await eventLog.heads([userId])).heads.get(userId) ?? 0,
    async sendMany(userIds) {
      const { heads } = await eventLog.heads([...new Set(userIds)]);
      return userIds.map((userId) => heads.get(userId) ?? 0);
    },
  });
}

function expired(): CursorExpiredError {
  return new CursorExpiredError(
    "The stream cannot be resumed from this cursor: read the page again and continue " +
      "with its eventCursor.",
  );
}
