import { createDatabase } from "../../../src/db/database.js";
import { createEventBus, type EventBus } from "../../../src/events/event-bus.js";
import type { EventLog } from "../../../src/events/event-log.js";
import { createFeed, type Feed, type FeedRequest } from "../../../src/events/feed.js";
import type { Subscription } from "../../../src/events/subscription.js";
import { createEventLog } from "../../../src/services/reads/event-log.js";
import { eventually } from "../runner/eventually.js";
import { silentLog } from "../runner/silent-log.js";
import { createTcpProxy, type TcpProxy } from "../stores/tcp-proxy.js";
import type { TestCore } from "../service/test-core.js";

export interface TestReader {
  feed: Feed;
  bus: EventBus;
  /** The proxies between the reader and its stores. */
  postgres: TcpProxy;
  redis: TcpProxy;
  open(userId: string, request?: Partial<FeedRequest>): Promise<Subscription>;
  close(): Promise<void>;
}

/**
 * The feed of a process other than the writing one. By default its watchdog does not run, so that
 * events arrive only through notifications.
 */
export async function createTestReader(
  core: TestCore,
  options: {
    watchdogMs?: number;
    subscriptionsPerUser?: number;
    wrap?: (eventLog: EventLog) => EventLog;
  } = {},
): Promise<TestReader> {
  const { watchdogMs = 600_000, wrap = (eventLog) => eventLog } = options;
  const [postgres, redis] = await Promise.all([
    createTcpProxy(core.url),
    createTcpProxy(core.redis.url),
  ]);
  const database = createDatabase({
    url: postgres.url,
    connections: 5,
    applicationName: "test reader",
  });
  const bus = createEventBus({ redisUrl: redis.url, prefix: core.redis.prefix, log: silentLog });
  const feed = createFeed({
    bus,
    eventLog: wrap(createEventLog(database)),
    log: silentLog,
    watchdogMs,
    subscriptionsPerUser: options.subscriptionsPerUser ?? 500,
  });
  await eventually("the bus is connected", () => bus.awayReason() === null);
  return {
    feed,
    bus,
    postgres,
    redis,
    open: (userId, request = {}) =>
      feed.open({ userId, queuedJobId: null, after: null, includeProgress: true, ...request }),
    async close() {
      await feed.close();
      await bus.close();
      await database.close();
      await Promise.all([postgres.close(), redis.close()]);
    },
  };
}
