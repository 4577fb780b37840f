// Serves the subscribers of this process. A subscriber is a position, not a queue: it pulls what
// follows its position from the ring of its user's channel, else from the log, until nothing
// follows; bells, reconnects and the watchdog only tell it to look. So a slow reader costs no
// memory, and a lost, doubled or reordered bell changes nothing.
import { QuotaExceededError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import { createMicroBatch } from "../runtime/micro-batch.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";
import { createSlots } from "../runtime/slots.js";
import { createChannel, type Channel } from "./channel.js";
import type { EventBus } from "./event-bus.js";
import type { EventLog, LogPage } from "./event-log.js";
import { findStart, type StartRequest } from "./find-start.js";
import { createSubscription, type Subscription } from "./subscription.js";

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

/** The bound on how long a lost bell can delay anything. */
const WATCHDOG_MS = 2000;
const HEADS_PER_QUERY = 1000;
const HISTORY_CHANGED =
  "the history of the database has changed (failover or restore); streams end with CURSOR_EXPIRED";
/**
 * Pages of the log that are read at the same time: what returns after a restart leaves connections
 * for others.
 */
const PAGES_AT_ONCE = 8;
const SUBSCRIPTIONS_PER_USER = 500;
const RETRY_AFTER_MS = 1000;

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

/** A user with streams here. */
interface Listened {
  channel: Channel;
  /** The history that the channel's events are of. */
  epoch: string;
  /** The counter at the last check. */
  head: number;
  subscribers: number;
  ready: Promise<void>;
}

export function createFeed(options: FeedOptions): Feed {
  const {
    bus,
    eventLog,
    log,
    onGone = () => {},
    subscriptionsPerUser = SUBSCRIPTIONS_PER_USER,
  } = options;
  const onTold = options.onTold && tellLag(options.onTold);
  const headOf = createHeadReads(eventLog);
  const listeners = new Map<string, Listened>();
  const open = new Set<Subscription>();
  const pageSlots = createSlots(PAGES_AT_ONCE);
  let checking: Promise<void> | null = null;

  bus.onBell((userId, bell) => listeners.get(userId)?.channel.hear(bell));
  bus.onReconnect(() => void check());
  const watchdog = setInterval(() => void check(), options.watchdogMs ?? WATCHDOG_MS).unref();

  function check(): Promise<void> {
    checking ??= checkHeads()
      .catch((error) =>
        log.debug({ err: error }, "the watchdog could not read the heads; it will try again"),
      )
      .finally(() => {
        checking = null;
      });
    return checking;
  }

  /** Without listeners it reads the log all the same, which keeps the epoch up to date. */
  async function checkHeads(): Promise<void> {
    const userIds = [...listeners.keys()];
    for (const { channel } of listeners.values()) channel.forget();
    let expired = 0;
    for (let i = 0; i === 0 || i < userIds.length; i += HEADS_PER_QUERY) {
      const some = userIds.slice(i, i + HEADS_PER_QUERY);
      const { epoch, heads } = await eventLog.heads(some);
      for (const userId of some) if (look(userId, epoch, heads.get(userId))) expired++;
    }
    if (expired > 0) log.warn({ users: expired }, HISTORY_CHANGED);
  }

  /** Whether the streams of this user were of another history, and so are ended. */
  function look(userId: string, epoch: string, head: number | undefined): boolean {
    const listener = listeners.get(userId);
    if (head === undefined) onGone(userId);
    if (!listener || head === undefined) return false;
    // A counter never falls: then the database is an older copy of itself.
    const expired = listener.epoch !== epoch || head < listener.head;
    if (expired) {
      listener.channel.expire();
      Object.assign(listener, { epoch, channel: openChannel(userId) });
    }
    listener.head = head;
    if (head > listener.channel.head) listener.channel.hear({ head, events: [] });
    return expired;
  }

  function assertRoom(userId: string): void {
    if ((listeners.get(userId)?.subscribers ?? 0) < subscriptionsPerUser) return;
    throw new QuotaExceededError(
      `A user may have ${subscriptionsPerUser} subscriptions open at most; retry when ` +
        "one of them has ended.",
      RETRY_AFTER_MS,
    );
  }

  async function readPage(query: Parameters<EventLog["read"]>[0]): Promise<LogPage> {
    await pageSlots.take();
    try {
      return await eventLog.read(query);
    } finally {
      pageSlots.free();
    }
  }

  const openChannel = (userId: string) => createChannel((query) => readPage({ userId, ...query }));

  async function enter(userId: string): Promise<Listened> {
    const epoch = await eventLog.epoch();
    const listener = listeners.get(userId) ?? {
      channel: openChannel(userId),
      epoch,
      head: 0,
      subscribers: 0,
      ready: bus.listen(userId),
    };
    assertRoom(userId);
    listener.subscribers++;
    listeners.set(userId, listener);
    await listener.ready;
    return listener;
  }

  function leave(userId: string): void {
    const listener = listeners.get(userId);
    if (!listener || --listener.subscribers > 0) return;
    listeners.delete(userId);
    bus.unlisten(userId);
  }

  async function openOn({ channel, epoch }: Listened, request: FeedRequest): Promise<Subscription> {
    // Listen first, then read: what is committed between the two is heard.
    const start = await findStart({ eventLog, channel, headOf, epoch }, request);
    const subscription = createSubscription({
      ...start,
      epoch,
      queuedJobId: request.queuedJobId,
      includeProgress: request.includeProgress,
      channel,
      onTold,
      onEnd: () => {
        open.delete(subscription);
        leave(request.userId);
      },
    });
    open.add(subscription);
    return subscription;
  }

  return {
    async open(request) {
      const listener = await enter(request.userId);
      try {
        return await openOn(listener, request);
      } catch (error) {
        leave(request.userId);
        throw error;
      }
    },
    assertRoom,
    get subscribers() {
      return open.size;
    },
    async close() {
      clearInterval(watchdog);
      await Promise.all([...open].map((subscription) => subscription.return()));
      await checking;
    },
  };
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

/** The same event is told to many, one after the other: when it was recorded is read once. */
function tellLag(onTold: (lagSeconds: number) => void): (event: QueuedJobEvent) => void {
  let [at, recorded] = ["", 0];
  return (event) => {
    if (event.at !== at) [at, recorded] = [event.at, Date.parse(event.at)];
    onTold((Date.now() - recorded) / 1000);
  };
}
