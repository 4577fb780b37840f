// The users with streams in this process: each has one channel, from the first stream to the last,
// and the watchdog compares all of them with the log.
import { QuotaExceededError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import { createSlots } from "../runtime/concurrency.js";
import { Channel } from "./channel.js";
import type { Notification, EventBus } from "./event-bus.js";
import { HEADS_PER_QUERY, type EventLog, type LogPage } from "./event-log.js";

/** A user with streams here. */
export interface UserChannel {
  channel: Channel;
  /** The history that the channel's events are of. */
  epoch: string;
  /** The counter at the last check. */
  head: number;
  subscribers: number;
  ready: Promise<void>;
}

interface UserChannels {
  /** Counts one more stream; resolves when what is published for the user arrives here. */
  enter(userId: string): Promise<UserChannel>;
  leave(userId: string): void;
  /** Throws QuotaExceededError when this user has as many streams as they may. */
  assertRoom(userId: string): void;
  receive(userId: string, notification: Notification): void;
  /** Compares all channels with the log; a check that is under way serves for this call. */
  check(): Promise<void>;
  /** Resolves when no check is under way. */
  settled(): Promise<void>;
}

const HISTORY_CHANGED =
  "the history of the database has changed (failover or restore); streams end with CURSOR_EXPIRED";
/**
 * Pages of the log that are read at the same time: what returns after a restart leaves connections
 * for others.
 */
const CONCURRENT_PAGES = 8;
const RETRY_AFTER_MS = 1000;

interface UserChannelsOptions {
  bus: EventBus;
  eventLog: EventLog;
  log: Logger;
  subscriptionsPerUser: number;
  /** Called when a user with a stream here is no more. */
  onGone: (userId: string) => void;
}

export function createUserChannels(options: UserChannelsOptions): UserChannels {
  const { bus, eventLog, log, subscriptionsPerUser } = options;
  const listeners = new Map<string, UserChannel>();
  const openChannel = createChannels(eventLog);
  const checkHeads = createHeadCheck({ ...options, listeners, openChannel });
  let checking: Promise<void> | null = null;

  function assertRoom(userId: string): void {
    if ((listeners.get(userId)?.subscribers ?? 0) < subscriptionsPerUser) return;
    throw new QuotaExceededError(
      `A user may have ${subscriptionsPerUser} subscriptions open at most; retry when ` +
        "one of them has ended.",
      RETRY_AFTER_MS,
    );
  }

  return {
    async enter(userId) {
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
    },
    leave(userId) {
      const listener = listeners.get(userId);
      if (!listener || --listener.subscribers > 0) return;
      listeners.delete(userId);
      bus.unlisten(userId);
    },
    assertRoom,
    receive: (userId, notification) => listeners.get(userId)?.channel.receive(notification),
    check() {
      checking ??= checkHeads()
        .catch((error) =>
          log.debug({ err: error }, "the watchdog could not read the heads; it will try again"),
        )
        .finally(() => {
          checking = null;
        });
      return checking;
    },
    settled: async () => void (await checking),
  };
}

/** The channels of all users share the slots in which the log is read. */
function createChannels(eventLog: EventLog): (userId: string) => Channel {
  const pageSlots = createSlots(CONCURRENT_PAGES);

  async function readPage(query: Parameters<EventLog["read"]>[0]): Promise<LogPage> {
    await pageSlots.take();
    try {
      return await eventLog.read(query);
    } finally {
      pageSlots.free();
    }
  }

  return (userId) => new Channel((query) => readPage({ userId, ...query }));
}

interface HeadCheckOptions {
  eventLog: EventLog;
  log: Logger;
  onGone: (userId: string) => void;
  listeners: Map<string, UserChannel>;
  openChannel: (userId: string) => Channel;
}

function createHeadCheck(options: HeadCheckOptions): () => Promise<void> {
  const { eventLog, log, onGone, listeners, openChannel } = options;

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
    if (head > listener.channel.head) listener.channel.receive({ head, events: [] });
    return expired;
  }

  /** Without listeners it reads the log all the same, which keeps the epoch up to date. */
  return async () => {
    const userIds = [...listeners.keys()];
    for (const { channel } of listeners.values()) channel.forget();
    let expired = 0;
    for (let i = 0; i === 0 || i < userIds.length; i += HEADS_PER_QUERY) {
      const some = userIds.slice(i, i + HEADS_PER_QUERY);
      const { epoch, heads } = await eventLog.heads(some);
      for (const userId of some) if (look(userId, epoch, heads.get(userId))) expired++;
    }
    if (expired > 0) log.warn({ users: expired }, HISTORY_CHANGED);
  };
}
