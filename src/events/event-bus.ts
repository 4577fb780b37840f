// Publishes committed events through Redis to every process that has a subscriber. A notification
// may be lost, repeated or reordered without harm. The log in PostgreSQL is the truth, and every
// event has its number.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "../runtime/logger.js";
import { withTimeout } from "../runtime/deadline.js";
import type { PhotoEvent, UserEvent } from "../domain/photo-event.js";
import type { QueuedJobEvent } from "../domain/queued-job.js";
import { createRedis } from "../runtime/redis.js";

/** A notification carries committed events, or only the newest number if they are too long. */
export interface Notification {
  /** Number of the newest event in the log as far as the publisher knows; null for PROGRESS. */
  head: number | null;
  events: QueuedJobEvent[];
  /** Apart from the others, because the released version reads only `events`. */
  photos?: PhotoEvent[];
}

export interface EventBus {
  /** Publishes events of a user. Never throws; callers need not wait. */
  publish(userId: string, events: UserEvent[]): void;
  /**
   * Resolves when this user's notifications arrive here. Does not wait while Redis is unavailable,
   * and at most a second while it hangs.
   */
  listen(userId: string): Promise<void>;
  unlisten(userId: string): void;
  /** Sets the only listener for notifications: the feed. */
  onNotification(listener: (userId: string, notification: Notification) => void): void;
  /** Sets the listener for reconnects, after which notifications may be missing. */
  onReconnect(listener: () => void): void;
  /** Announces a deleted user to every process. Resolves when it is published or has failed. */
  publishGone(userId: string): Promise<void>;
  /** Sets the only listener for deleted users; it gets null when some may be missing. */
  onGone(listener: (userId: string | null) => void): void;
  /** Returns the reason why notifications are interrupted, or null. */
  awayReason(): string | null;
  /** Writes to Redis. Resolves with null, or with the fault in a few words. */
  probe(): Promise<string | null>;
  close(): Promise<void>;
}

/**
 * Maximum length of an event in a notification. For a longer event it carries only the number, and
 * readers use the log.
 */
const MAX_EVENT_LENGTH = 8 * 1024;
/** Maximum length of the events in one notification; further events go into another one. */
const MAX_NOTIFICATION_LENGTH = 64 * 1024;

/** Maximum wait for a Redis that accepts connections but does not answer. */
const TIMEOUT_MS = 1000;

const AWAY = "is unavailable; submitted jobs run when it returns";
const SILENT = "does not answer; submitted jobs run when it does";
/** Names the kind of the refusal, for example OOM, MISCONF or READONLY. */
const refusing = ({ message }: Error) =>
  `refuses data (${message.split(" ", 1)[0]}); submitted jobs run when it accepts data`;
const PROBE_SECONDS = 60;
const GONE_UNSENT =
  "the deletion of a user was not published; other processes detect it with their watchdog";

export interface EventBusOptions {
  redisUrl: string;
  prefix: string;
  log: Logger;
  /** Called with the number of notifications that were not published. */
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

function createPublisher({ redisUrl: url, prefix, log, onDropped }: EventBusOptions): Publisher {
  const topic = topicOf(prefix);
  const redis = createRedis({ url, prefix, purpose: "notifications out", failFast: true, log });
  let waiting = new Map<string, UserEvent[]>();

  /** Sends everything that one step publishes: one notification per user, and one pipeline. */
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
        if (errors.length > 0) reportDropped(errors.length, errors[0]);
      },
      (error) => reportDropped(notifications, error),
    );
  }

  function reportDropped(count: number, error: unknown): void {
    onDropped?.(count);
    log.debug(
      { err: error, count },
      "notifications were not published; the watchdog will detect the events",
    );
  }

  return {
    publish(userId, events) {
      if (waiting.size === 0) queueMicrotask(publishAll);
      const userEvents = waiting.get(userId);
      if (userEvents) userEvents.push(...events);
      else waiting.set(userId, [...events]);
    },
    async publishGone(userId) {
      await redis
        .publish(goneTopicOf(prefix), userId)
        .catch((error) => log.warn({ err: error, userId }, GONE_UNSENT));
    },
    isReady: () => redis.status === "ready",
    async probe() {
      // A ping would not notice a full Redis, nor one that became a replica.
      const write = redis.set(`${prefix}:probe`, "1", "EX", PROBE_SECONDS).then(
        () => null,
        (error: Error) => (error.name === "ReplyError" ? refusing(error) : AWAY),
      );
      return withTimeout(write, TIMEOUT_MS, () => SILENT);
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

function createSubscriber({ redisUrl: url, prefix, log }: EventBusOptions): Subscriber {
  const topic = topicOf(prefix);
  const goneTopic = goneTopicOf(prefix);
  const redis = createRedis({ url, prefix, purpose: "notifications in", failFast: false, log });
  let onNotification: (userId: string, notification: Notification) => void = () => {};
  let onReconnect: () => void = () => {};
  let onGone: (userId: string | null) => void = () => {};
  let pendingTopics = new Set<string>();
  let subscribing: Promise<unknown> | null = null;

  /**
   * Subscribes once for all users that were added in this turn. A lost subscription delays events,
   * but loses none.
   */
  async function subscribeAll(): Promise<void> {
    await nextTurn();
    const topics = [...pendingTopics];
    [pendingTopics, subscribing] = [new Set(), null];
    if (topics.length > 0) await redis.subscribe(...topics).catch(() => {});
  }

  redis.on("message", (channel, text) => {
    if (channel === goneTopic) return onGone(text);
    const notification = parseNotification(text);
    if (notification && channel.startsWith(topic))
      onNotification(channel.slice(topic.length), notification);
  });
  // ioredis renews the subscriptions before it emits "ready".
  redis.on("ready", () => {
    onReconnect();
    onGone(null);
  });

  return {
    async listen(userId) {
      pendingTopics.add(topic + userId);
      subscribing ??= subscribeAll();
      if (redis.status === "ready") await withTimeout(subscribing, TIMEOUT_MS, () => null);
    },
    unlisten(userId) {
      if (!pendingTopics.delete(topic + userId)) redis.unsubscribe(topic + userId).catch(() => {});
    },
    onNotification(listener) {
      onNotification = listener;
    },
    onReconnect(listener) {
      onReconnect = listener;
    },
    onGone(listener) {
      onGone = listener;
      // If the subscription is lost, deletions arrive late. Writes for a deleted user are refused
      // anyway.
      redis.subscribe(goneTopic).catch(() => {});
    },
    isReady: () => redis.status === "ready",
    close: () => redis.disconnect(),
  };
}

function encodeNotifications(events: UserEvent[]): string[] {
  const notifications: string[] = [];
  let [jobs, photos]: [string[], string[]] = [[], []];
  let [length, head]: [number, number | null] = [0, null];
  const end = () => {
    const ofPhotos = photos.length > 0 ? `,"photos":[${photos.join(",")}]` : "";
    if (length > 0 || head !== null)
      notifications.push(`{"head":${head},"events":[${jobs.join(",")}]${ofPhotos}}`);
    [jobs, photos, length, head] = [[], [], 0, null];
  };
  for (const event of events) {
    const text = JSON.stringify(event);
    const isLogged = event.type !== "PROGRESS";
    // PROGRESS is never shortened, because it is not in the log.
    const isTooLong = isLogged && text.length > MAX_EVENT_LENGTH;
    if (isTooLong || length + text.length > MAX_NOTIFICATION_LENGTH) end();
    if (isLogged) head = Math.max(head ?? 0, event.seq);
    if (isTooLong) end();
    else {
      ("photo" in event ? photos : jobs).push(text);
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
