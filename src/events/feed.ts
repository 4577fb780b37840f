// Serves the subscribers of this process. A subscriber is a position, not a queue. It pulls the
// events after its position from its user's ring buffer, otherwise from the log. Notifications,
// reconnects and the watchdog only start this pulling. So a slow reader costs no memory, and lost,
// repeated or reordered notifications do no harm.
import type { Logger } from "../runtime/logger.js";
import type { PhotoEvent, UserEvent } from "../domain/photo-event.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";
import type { EventBus } from "./event-bus.js";
import { type EventLog, HEADS_PER_QUERY, type Present } from "./event-log.js";
import {
  ChannelSubscription,
  type Subscription,
  type SubscriptionOptions,
} from "./subscription.js";
import { createUserChannels, type UserChannel, type UserChannels } from "./user-channels.js";
import { CursorExpiredError, NotFoundError } from "../domain/errors.js";
import { createMicroBatch } from "../runtime/micro-batch.js";
import type { Channel } from "./channel.js";

export interface FeedRequest extends StartRequest {
  includeProgress: boolean;
}

export interface Feed {
  /**
   * Throws NotFoundError if the user has no such QueuedJob or group. Throws QuotaExceededError if
   * the user has the maximum number of streams. Throws CursorExpiredError if the stream cannot be
   * resumed from `after`.
   *
   * The stream itself ends with CursorExpiredError when it falls behind the kept events, or when
   * the database's history changes.
   */
  open(request: FeedRequest): Promise<Subscription>;
  /** Opens the stream of the user's photos; throws like `open`, but never NotFoundError. */
  openPhotos(request: Pick<FeedRequest, "userId" | "after">): Promise<Subscription<PhotoEvent>>;
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
  const open = new Set<{ return(): Promise<unknown> }>();

  bus.onNotification(channels.receive);
  bus.onReconnect(() => void channels.check());
  const everyMs = options.watchdogMs ?? WATCHDOG_MS;
  const watchdog = setInterval(() => void channels.check(), everyMs).unref();

  function openOn<E extends UserEvent>(
    stream: Omit<SubscriptionOptions<E>, "onDelivered" | "onEnd">,
    userId: string,
  ): Subscription<E> {
    const onEnd = () => {
      open.delete(subscription);
      channels.leave(userId);
    };
    const subscription = new ChannelSubscription<E>({ ...stream, onDelivered, onEnd });
    open.add(subscription);
    return subscription;
  }

  return {
    open: ({ includeProgress, ...request }) =>
      entered(channels, request.userId, async ({ streams: { queuedJobs: channel }, epoch }) => {
        const { userId, queuedJobId, groupId = null } = request;
        const sources = { eventLog, channel, headOf, epoch };
        const start = await findStart(sources, request);
        const of = { queuedJobId, groupId, includeProgress };
        return openOn({ ...start, ...of, channel, epoch }, userId);
      }),
    openPhotos: ({ userId, after }) =>
      entered(channels, userId, async ({ streams: { photos: channel }, epoch }) => {
        const sources = { channel, headOf, epoch };
        const all = { queuedJobId: null, groupId: null, includeProgress: false };
        const start = await (after
          ? startBehind(sources, { ...all, after })
          : startNow(sources, userId));
        return openOn({ ...start, channel, epoch, ...all }, userId);
      }),
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

/** Enters before `open` reads, so that no event is missed between the two. */
async function entered<T>(
  channels: UserChannels,
  userId: string,
  open: (user: UserChannel) => Promise<T>,
): Promise<T> {
  const user = await channels.enter(userId);
  try {
    return await open(user);
  } catch (error) {
    channels.leave(userId);
    throw error;
  }
}

/** An event is delivered to many subscribers in a row, so its time is parsed once. */
function reportLag(onDelivered: (lagSeconds: number) => void): (event: UserEvent) => void {
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
  /** Group to follow, instead of a QueuedJob; the stream ends with the group. */
  groupId?: string | null;
  /** Position to resume after; null starts with the next event. */
  after: { epoch: string; seq: number } | null;
}

/** The start of a stream: its first events, the position after them, and whether it ends there. */
interface Start<E> {
  seq: number;
  first: E[];
  to: number;
  ended: boolean;
}

interface Sources<E extends UserEvent = QueuedJobEvent> {
  channel: Channel<E>;
  headOf: (userId: string) => Promise<number>;
  epoch: string;
}
type JobSources = Sources & { eventLog: EventLog };

type Behind = Pick<StartRequest, "queuedJobId" | "groupId"> & {
  after: NonNullable<StartRequest["after"]>;
};

/** Throws the errors of `Feed.open`. */
async function findStart(
  sources: JobSources,
  request: StartRequest,
): Promise<Start<QueuedJobEvent>> {
  const { userId, after } = request;
  if (!after)
    return followsAll(request) ? startNow(sources, userId) : startWithPresent(sources, request);
  const start = await startBehind(sources, { ...request, after });
  if (followsAll(request) || start.first.length > 0) return start;
  const present = await readPresent(sources, request);
  // If it finished after the page was read, its terminal event follows.
  return { ...start, to: after.seq, ended: present.finished && present.lastSeq <= after.seq };
}

function followsAll({ queuedJobId, groupId }: Pick<StartRequest, "queuedJobId" | "groupId">) {
  return queuedJobId === null && groupId == null;
}

/** Throws NotFoundError if the user has no such QueuedJob or group. */
async function readPresent(
  { eventLog }: JobSources,
  { userId, queuedJobId, groupId }: StartRequest,
): Promise<Present> {
  const present =
    queuedJobId === null
      ? await eventLog.presentOfGroup(userId, groupId ?? "")
      : await eventLog.present(userId, queuedJobId);
  if (present) return present;
  throw new NotFoundError(`There is no such ${queuedJobId === null ? "JobGroup" : "QueuedJob"}.`);
}

async function startBehind<E extends UserEvent>(
  { channel, epoch }: Sources<E>,
  request: Behind,
): Promise<Start<E>> {
  const { queuedJobId, groupId = null, after } = request;
  const { seq } = after;
  if (after.epoch !== epoch) throw expired();
  if (followsAll(request) && channel.covers(seq)) return { seq, first: [], to: seq, ended: false };
  let page = await channel.page(seq, queuedJobId, groupId);
  // Another subscriber may have requested this page before the log reached this position.
  if (seq > page.last) page = await channel.page(seq, queuedJobId, groupId);
  if (seq < page.floor || seq > page.last) throw expired();
  return { seq, first: page.events, to: page.to, ended: false };
}

async function startNow<E extends UserEvent>(
  { channel, headOf }: Sources<E>,
  userId: string,
): Promise<Start<E>> {
  const notifications = channel.notifications;
  const seq = await headOf(userId);
  channel.confirmHead(seq, notifications);
  return { seq, first: [], to: seq, ended: false };
}

async function startWithPresent(
  sources: JobSources,
  request: StartRequest,
): Promise<Start<QueuedJobEvent>> {
  const { channel } = sources;
  const notifications = channel.notifications;
  const present = await readPresent(sources, request);
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
