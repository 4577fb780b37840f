// Serves the subscribers of this process. A subscriber is a position, not a queue: it pulls what
// follows its position from the ring of its user's channel, else from the log, until nothing
// follows; bells, reconnects and the watchdog only tell it to look. So a slow reader costs no
// memory, and a lost, doubled or reordered bell changes nothing.
import type { Logger } from "../runtime/logger.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";
import type { EventBus } from "./event-bus.js";
import type { EventLog } from "./event-log.js";
import { createHeadReads, findStart, type StartRequest } from "./find-start.js";
import { ChannelSubscription, type Subscription } from "./subscription.js";
import { createUserChannels, type UserChannel } from "./user-channels.js";

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

  bus.onBell(channels.hear);
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
