// The notification: what was committed is published through Redis to every process that has a subscriber. It may
// be lost, doubled or reordered without harm, since the log in PostgreSQL is the truth and every
// event has its number.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "../runtime/logger.js";
import { withTimeout } from "../runtime/deadline.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";
import { createRedis } from "../runtime/redis.js";

/**
 * What a notification says: events that were committed, or, when they would be too long, only up to where
 * the log goes.
 */
export interface Notification {
  /** The number of the newest event in the log, as far as the ringer knows; null for PROGRESS. */
  head: number | null;
  events: QueuedJobEvent[];
}

export interface EventBus {
  /** Rings for a user; never throws, and nobody need wait for it. */
  publish(userId: string, events: QueuedJobEvent[]): void;
  /**
   * Resolves when notifications of this user arrive here, at once when Redis is away, and after a second
   * when it hangs.
   */
  listen(userId: string): Promise<void>;
  unlisten(userId: string): void;
  /** Called with each notification. One listener only: the feed. */
  onNotification(listener: (userId: string, notification: Notification) => void): void;
  /** Called when notifications may have been missed. */
  onReconnect(listener: () => void): void;
  /** Tells every process that a user was deleted; resolves when it is told, or cannot be. */
  publishGone(userId: string): Promise<void>;
  /**
   * Called with each user who was deleted, and with null when some may have been missed. One
   * listener only.
   */
  onGone(listener: (userId: string | null) => void): void;
  /** Null when notifications are published and heard, as far as is known. */
  awayReason(): string | null;
  /** Asks Redis: null when it answers, else why not in a few words. */
  probe(): Promise<string | null>;
  close(): Promise<void>;
}

/** Of an event that is longer a notification carries the number only; whoever needs it reads the log. */
const MAX_EVENT_LENGTH = 8 * 1024;
/** Of the events of one notification; what is more rings another. */
const MAX_BELL_LENGTH = 64 * 1024;

/** For a Redis that is there but does not answer. */
const TIMEOUT_MS = 1000;

const AWAY = "is away; what is submitted runs when it returns";
const SILENT = "does not answer; what is submitted runs when it does";
const GONE_UNSENT =
  "the other processes were not told of a deleted user; they find out by themselves";

export interface EventBusOptions {
  redisUrl: string;
  prefix: string;
  log: Logger;
  /** Called with the number of notifications that could not be published. */
  onDropped?: (count: number) => void;
}

export function createEventBus(options: EventBusOptions): EventBus {
  const publisher = createPublisher(options);
  const subscriber = createSubscriber(options);

  const awayReason = () => (publisher.isReady() && subscriber.isReady() ? null : AWAY);

  return {
    publish: publisher.publish,
    publishGone: publisher.publishGone,
    listen: subscriber.listen,
    unlisten: subscriber.unlisten,
    onNotification: subscriber.onNotification,
    onReconnect: subscriber.onReconnect,
    onGone: subscriber.onGone,
    awayReason,
    async probe() {
      const reason = await publisher.probe();
      return awayReason() ?? reason;
    },
    async close() {
      publisher.close();
      subscriber.close();
    },
  };
}

const topicOf = (prefix: string) => `${prefix}:events:`;
const goneTopicOf = (prefix: string) => `${prefix}:gone`;

interface Publisher extends Pick<EventBus, "publish" | "publishGone" | "probe"> {
  isReady(): boolean;
  close(): void;
}

function createPublisher({ redisUrl, prefix, log, onDropped }: EventBusOptions): Publisher {
  const topic = topicOf(prefix);
  const redis = createRedis({ url: redisUrl, purpose: "notifications out", failFast: true, log });
  let waiting = new Map<string, QueuedJobEvent[]>();

  /** Once for all that is published in one step: one notification for a user, one way to Redis for all. */
  function publishAll(): void {
    if (waiting.size === 0) return;
    const batch = redis.pipeline();
    for (const [userId, events] of waiting)
      for (const notification of encodeNotifications(events))
        batch.publish(topic + userId, notification);
    waiting = new Map();
    const notifications = batch.length;
    batch.exec().then(
      (results) => {
        const errors = (results ?? []).flatMap(([error]) => error ?? []);
        if (errors.length > 0) noteDropped(errors.length, errors[0]);
      },
      (error) => noteDropped(notifications, error),
    );
  }

  function noteDropped(count: number, error: unknown): void {
    onDropped?.(count);
    log.debug(
      { err: error, count },
      "notifications were not published; the watchdog will find out",
    );
  }

  return {
    publish(userId, events) {
      if (waiting.size === 0) queueMicrotask(publishAll);
      const own = waiting.get(userId);
      if (own) own.push(...events);
      else waiting.set(userId, [...events]);
    },
    async publishGone(userId) {
      await redis
        .publish(goneTopicOf(prefix), userId)
        .catch((error) => log.warn({ err: error, userId }, GONE_UNSENT));
    },
    isReady: () => redis.status === "ready",
    async probe() {
      const ping = redis.ping().then(
        () => null,
        () => AWAY,
      );
      return withTimeout(ping, TIMEOUT_MS, () => SILENT);
    },
    close() {
      publishAll();
      redis.disconnect();
    },
  };
}

interface Subscriber extends Pick<
  EventBus,
  "listen" | "unlisten" | "onNotification" | "onReconnect" | "onGone"
> {
  isReady(): boolean;
  close(): void;
}

function createSubscriber({ redisUrl, prefix, log }: EventBusOptions): Subscriber {
  const topic = topicOf(prefix);
  const goneTopic = goneTopicOf(prefix);
  const redis = createRedis({ url: redisUrl, purpose: "notifications in", failFast: false, log });
  let onNotification: (userId: string, notification: Notification) => void = () => {};
  let onReconnect: () => void = () => {};
  let onGone: (userId: string | null) => void = () => {};
  let wanted = new Set<string>();
  let subscribing: Promise<unknown> | null = null;

  /**
   * Once for all whom somebody began to listen to in this turn. A lost subscription costs the notification,
   * not the events.
   */
  async function subscribeAll(): Promise<void> {
    await nextTurn();
    const topics = [...wanted];
    [wanted, subscribing] = [new Set(), null];
    if (topics.length > 0) await redis.subscribe(...topics).catch(() => {});
  }

  redis.on("message", (channel, text) => {
    if (channel === goneTopic) return onGone(text);
    const notification = parseNotification(text);
    if (notification && channel.startsWith(topic))
      onNotification(channel.slice(topic.length), notification);
  });
  // ioredis subscribes anew before it says "ready".
  redis.on("ready", () => {
    onReconnect();
    onGone(null);
  });

  return {
    async listen(userId) {
      wanted.add(topic + userId);
      subscribing ??= subscribeAll();
      if (redis.status === "ready") await withTimeout(subscribing, TIMEOUT_MS, () => null);
    },
    unlisten(userId) {
      if (!wanted.delete(topic + userId)) redis.unsubscribe(topic + userId).catch(() => {});
    },
    onNotification(listener) {
      onNotification = listener;
    },
    onReconnect(listener) {
      onReconnect = listener;
    },
    onGone(listener) {
      onGone = listener;
      // A lost subscription costs the notification: what is written for a deleted user is refused all the
      // same.
      redis.subscribe(goneTopic).catch(() => {});
    },
    isReady: () => redis.status === "ready",
    close: () => redis.disconnect(),
  };
}

function encodeNotifications(events: QueuedJobEvent[]): string[] {
  const notifications: string[] = [];
  let [texts, length, head]: [string[], number, number | null] = [[], 0, null];
  const end = () => {
    if (texts.length > 0 || head !== null)
      notifications.push(`{"head":${head},"events":[${texts.join(",")}]}`);
    [texts, length, head] = [[], 0, null];
  };
  for (const event of events) {
    const text = JSON.stringify(event);
    const isLogged = event.type !== "PROGRESS";
    // PROGRESS is never cut: it stands in no log.
    const isCut = isLogged && text.length > MAX_EVENT_LENGTH;
    if (isCut || length + text.length > MAX_BELL_LENGTH) end();
    if (isLogged) head = Math.max(head ?? 0, event.seq);
    if (isCut) end();
    else {
      texts.push(text);
      length += text.length;
    }
  }
  end();
  return notifications;
}

function parseNotification(text: string): Notification | null {
  try {
    return JSON.parse(text) as Notification;
  } catch {
    return null;
  }
}
