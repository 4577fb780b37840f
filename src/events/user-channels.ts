// The users with streams in this process. Each has its channels from the first stream to the last.
// The watchdog compares all channels with the log.
import { QuotaExceededError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import { createSlots } from "../runtime/concurrency.js";
import { withoutDeadline } from "../runtime/deadline.js";
import type { Notification, EventBus } from "./event-bus.js";
import { HEADS_PER_QUERY, type EventLog } from "./event-log.js";
import { UserStreams } from "./user-streams.js";

export interface UserChannel {
  streams: UserStreams;
  /** Epoch of the events. */
  epoch: string;
  /** Newest event number at the last check. */
  head: number;
  subscribers: number;
  ready: Promise<void>;
}

export interface UserChannels {
  /** Adds a stream; resolves when the user's notifications arrive here. */
  enter(userId: string): Promise<UserChannel>;
  leave(userId: string): void;
  /** Throws QuotaExceededError if this user has the maximum number of streams. */
  assertRoom(userId: string): void;
  receive(userId: string, notification: Notification): void;
  /** Compares all channels with the log, or joins the running check. */
  check(): Promise<void>;
  /** Resolves when no check is running. */
  settled(): Promise<void>;
}

const HISTORY_CHANGED =
  "the history of the database has changed (failover or restore); streams end with CURSOR_EXPIRED";
/**
 * Maximum pages of the log read at the same time, so that a restart leaves connections for others.
 */
const CONCURRENT_PAGES = 8;
const RETRY_AFTER_MS = 1000;

interface UserChannelsOptions {
  bus: EventBus;
  eventLog: EventLog;
  log: Logger;
  subscriptionsPerUser: number;
  /** Called when a user with a stream here was deleted. */
  onGone: (userId: string) => void;
}

export function createUserChannels(options: UserChannelsOptions): UserChannels {
  const { bus, eventLog, log, subscriptionsPerUser } = options;
  const listeners = new Map<string, UserChannel>();
  const openStreams = createStreams(eventLog);
  const checkHeads = createHeadCheck({ ...options, listeners, openStreams });
  let checking: Promise<void> | null = null;

  function assertRoom(userId: string): void {
    if ((listeners.get(userId)?.subscribers ?? 0) < subscriptionsPerUser) return;
    throw new QuotaExceededError(
      `A user may have at most ${subscriptionsPerUser} open subscriptions; retry when ` +
        "one of them has ended.",
      RETRY_AFTER_MS,
    );
  }

  return {
    async enter(userId) {
      const epoch = await eventLog.epoch();
      const listener = listeners.get(userId) ?? {
        streams: openStreams(userId),
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
    },
    leave(userId) {
      const listener = listeners.get(userId);
      if (!listener || --listener.subscribers > 0) return;
      listeners.delete(userId);
      bus.unlisten(userId);
    },
    assertRoom,
    receive: (userId, notification) => listeners.get(userId)?.streams.receive(notification),
    check() {
      checking ??= checkHeads()
        .catch((error) =>
          log.debug(
            { err: error },
            "the watchdog could not read the newest event numbers; it will try again",
          ),
        )
        .finally(() => {
          checking = null;
        });
      return checking;
    },
    settled: async () => void (await checking),
  };
}

/** All channels share the slots for reading the log. */
function createStreams(eventLog: EventLog): (userId: string) => UserStreams {
  const pageSlots = createSlots(CONCURRENT_PAGES);

  async function inSlot<T>(read: () => Promise<T>): Promise<T> {
    await pageSlots.take();
    try {
      // A notification may arrive in the context of an operation that is over.
      return await withoutDeadline(read);
    } finally {
      pageSlots.free();
    }
  }

  return (userId) =>
    new UserStreams({
      queuedJobs: (query) => inSlot(() => eventLog.read({ userId, ...query })),
      photos: ({ seq, limit }) => inSlot(() => eventLog.readPhotos({ userId, seq, limit })),
    });
}

interface HeadCheckOptions {
  eventLog: EventLog;
  log: Logger;
  onGone: (userId: string) => void;
  listeners: Map<string, UserChannel>;
  openStreams: (userId: string) => UserStreams;
}

function createHeadCheck(options: HeadCheckOptions): () => Promise<void> {
  const { eventLog, log, onGone, listeners, openStreams } = options;

  /** Returns true if the streams of this user belonged to another history and were ended. */
  function compare(userId: string, epoch: string, head: number | undefined): boolean {
    const listener = listeners.get(userId);
    if (head === undefined) onGone(userId);
    if (!listener || head === undefined) return false;
    // Numbers never decrease, so this database is an older copy.
    const expired = listener.epoch !== epoch || head < listener.head;
    if (expired) {
      listener.streams.expire();
      Object.assign(listener, { epoch, streams: openStreams(userId) });
    }
    listener.head = head;
    listener.streams.advance(head);
    return expired;
  }

  /** It also reads the log without listeners, which keeps the epoch up to date. */
  return async () => {
    const userIds = [...listeners.keys()];
    for (const { streams } of listeners.values()) streams.forget();
    let expired = 0;
    for (let i = 0; i === 0 || i < userIds.length; i += HEADS_PER_QUERY) {
      const batch = userIds.slice(i, i + HEADS_PER_QUERY);
      const { epoch, heads } = await eventLog.heads(batch);
      for (const userId of batch) if (compare(userId, epoch, heads.get(userId))) expired++;
    }
    if (expired > 0) log.warn({ users: expired }, HISTORY_CHANGED);
  };
}
