// Serves the subscribers of this process. A subscriber is a position, not a queue: it pulls what
// follows its position from the ring of its user's channel, else from the log, until nothing
// follows; notifications, reconnects and the watchdog only tell it to look. So a slow reader costs no
// memory, and a lost, doubled or reordered notification changes nothing.
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
   * Throws NotFoundError when the QueuedJob is not there or not the user's, QuotaExceededError when
   * the user has as many streams as they may, CursorExpiredError when the stream cannot be resumed
   * from `after`. The stream itself ends with CursorExpiredError when it falls behind what is kept,
   * or when the history of the database changes.
   */
  open(request: FeedRequest): Promise<Subscription>;
  /**
   * Throws QuotaExceededError when this user has as many streams as they may: `open` would, too.
   */
  assertRoom(userId: string): void;
  /** Streams that are open now. */
  readonly subscribers: number;
  close(): Promise<void>;
}

/** The bound on how long a lost notification can delay anything. */
const WATCHDOG_MS = 2000;
const SUBSCRIPTIONS_PER_USER = 500;

export interface FeedOptions {
  bus: EventBus;
  eventLog: EventLog;
  log: Logger;
  watchdogMs?: number;
  /** That one user may have open here; 500 when absent. */
  subscriptionsPerUser?: number;
  /** Called with each event that is told, replays apart; so long after it was recorded. */
  onTold?: (lagSeconds: number) => void;
  /** Called when a user with a stream here is no more. */
  onGone?: (userId: string) => void;
}

export function createFeed(options: FeedOptions): Feed {
  const { bus, eventLog, log, onGone = () => {} } = options;
  const onTold = options.onTold && tellLag(options.onTold);
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
    // Listen first, then read: what is committed between the two is heard.
    const start = await findStart({ eventLog, channel, headOf, epoch }, request);
    const subscription = new ChannelSubscription({
      ...start,
      epoch,
      queuedJobId: request.queuedJobId,
      includeProgress: request.includeProgress,
      channel,
      onTold,
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

/** The same event is told to many, one after the other: when it was recorded is read once. */
function tellLag(onTold: (lagSeconds: number) => void): (event: QueuedJobEvent) => void {
  let [at, recorded] = ["", 0];
  return (event) => {
    if (event.at !== at) [at, recorded] = [event.at, Date.parse(event.at)];
    onTold((Date.now() - recorded) / 1000);
  };
}

interface StartRequest {
  userId: string;
  /** Only the events of this one; the stream then ends with its first terminal event. */
  queuedJobId: string | null;
  /** Resume after this position; from now on without one. */
  after: { epoch: string; seq: number } | null;
}

/**
 * Where a stream starts: its first events, if some are known, the position they lead to, and
 * whether that is its end already.
 */
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

/** Throws what `Feed.open` says. */
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
  // It may have been asked for by somebody else, before this position was reached.
  if (seq > page.last) page = await channel.page(seq, queuedJobId);
  if (seq < page.floor || seq > page.last) throw expired();
  if (queuedJobId === null || page.events.length > 0)
    return { seq, first: page.events, to: page.to, ended: false };
  const present = await eventLog.present(userId, queuedJobId);
  if (!present) throw new NotFoundError("There is no such QueuedJob.");
  // Finished before the page was read, or after it: then its terminal event follows.
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
 * Many come at once, after a restart above all: one query for those who came while the last was
 * under way.
 */
function createHeadReads(eventLog: EventLog): (userId: string) => Promise<number> {
  let asked = 0;
  return createMicroBatch<string, number>({
    lanes: 1,
    maxItems: HEADS_PER_QUERY,
    laneOf: () => "",
    // The same user may be asked for twice in one.
    keyOf: () => String(asked++),
    sendOne: async (userId) => (await eventLog.heads([userId])).heads.get(userId) ?? 0,
    async sendMany(userIds) {
      const { heads } = await eventLog.heads([...new Set(userIds)]);
      return userIds.map((userId) => heads.get(userId) ?? 0);
    },
  });
}

function expired(): CursorExpiredError {
  return new CursorExpiredError(
    "The stream cannot be resumed from this cursor any more: read the page again and go " +
      "on with its eventCursor.",
  );
}
