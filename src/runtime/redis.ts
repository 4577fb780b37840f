import { Redis, type RedisOptions as AllOptions } from "ioredis";
import type { Logger } from "./logger.js";
import { slotConnector } from "./slot-connector.js";
import { parseRedisUrl, type RedisPlace } from "./store-urls.js";

/** The type of the client depends on the omitted one. */
type ClientOptions = Omit<AllOptions, "replyMapping">;

const TIMEOUT_MS = 2000;
/** Interval between pings on each connection. */
const PING_MS = 3000;
/**
 * Maximum wait for an answer before the connection is replaced; the kernel would wait for 15
 * minutes. Duplicates wait twice as long, because BullMQ's blocking calls on them take up to 10 s.
 */
const ANSWER_MS = 6000;
/** Maximum unsent bytes on connections whose commands fail rather than wait. */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024;

export interface RedisOptions {
  /** In any form of REDIS_URL. */
  url: string;
  /** Prefix of all keys of this connection; its hash tag keeps them in one slot of a cluster. */
  prefix: string;
  purpose: string;
  failFast: boolean;
  log: Logger;
  pingMs?: number;
  answerMs?: number;
}

/**
 * Writes the first command of a turn at once and the others together, because a system call costs
 * more than most commands. A pipeline is written as a whole already.
 */
class BatchingRedis extends Redis {
  #corked: NodeJS.WritableStream | null = null;

  override sendCommand(...[command, stream]: Parameters<Redis["sendCommand"]>): unknown {
    const answer = super.sendCommand(command, stream);
    const { stream: socket } = this;
    if (stream || this.status !== "ready" || this.#corked === socket) return answer;
    this.#corked = socket;
    socket.cork();
    process.nextTick(() => {
      this.#corked = null;
      socket.uncork();
    });
    return answer;
  }
}

/**
 * Refuses commands while too many bytes are unsent: they would pile up if the peer stopped reading.
 */
class FailFastRedis extends BatchingRedis {
  override sendCommand(...[command, stream]: Parameters<Redis["sendCommand"]>): unknown {
    if (this.status === "ready" && this.stream.writableLength > MAX_UNSENT_BYTES) {
      command.reject(
        new Error(`Redis is not reading: more than ${MAX_UNSENT_BYTES} bytes are unsent.`),
      );
      return command.promise;
    }
    return super.sendCommand(command, stream);
  }
}

/**
 * Opens a connection to Redis that reconnects without limit. With `failFast`, commands fail at once
 * while Redis is unavailable: use it for commands that a request waits for. Otherwise commands
 * wait, as BullMQ's workers and subscribers need.
 */
export function createRedis(options: RedisOptions): Redis {
  const { failFast, log, purpose, pingMs = PING_MS, answerMs = ANSWER_MS } = options;
  const Client: typeof Redis = failFast ? FailFastRedis : BatchingRedis;
  const place = parseRedisUrl(options.url);
  const settings: ClientOptions = {
    connectionName: purpose,
    retryStrategy: (attempt) => Math.min(attempt * 100, 1000),
    connectTimeout: TIMEOUT_MS,
    socketTimeout: answerMs,
    enableOfflineQueue: !failFast,
    maxRetriesPerRequest: failFast ? 1 : null,
    // 2: the client connects again, and sends the command there.
    reconnectOnError: ({ message }) => (OUTDATED.test(message) ? 2 : false),
    // A server that accepts commands but does not answer must not block requests either.
    ...(failFast && { commandTimeout: TIMEOUT_MS }),
  };
  const redis =
    place.kind === "single"
      ? new Client(place.url, settings)
      : new Client({ ...serversOf(place, options.prefix), ...settings });
  reportOutages(redis, { log, purpose });
  keepPinging(redis, pingMs);
  const copy = redis.duplicate.bind(redis);
  redis.duplicate = ((override: object) => {
    const duplicate = copy({ ...override, socketTimeout: 2 * answerMs });
    keepPinging(duplicate, pingMs);
    return duplicate;
  }) as Redis["duplicate"];
  return redis;
}

/** Errors of a server that does not own the keys any more: another one does, or soon will. */
const OUTDATED = /^(MOVED|CLUSTERDOWN|READONLY|UNBLOCKED) /;

/** Returns the options by which the client finds its server, also after a failover. */
function serversOf(
  { access, ...place }: Exclude<RedisPlace, { kind: "single" }>,
  prefix: string,
): ClientOptions {
  if (place.kind === "cluster") return { ...access, Connector: slotConnector(place.nodes, prefix) };
  const { sentinels, name } = place;
  return {
    ...access,
    sentinels,
    name,
    sentinelCommandTimeout: TIMEOUT_MS,
    ...(access.tls && { sentinelTLS: access.tls, enableTLSForSentinelMode: true }),
  };
}

/** Logs the begin and the end of an outage once each. */
function reportOutages(
  redis: Redis,
  { log, purpose }: Pick<RedisOptions, "log" | "purpose">,
): void {
  let away = false;
  const reportOutage = (error: Error, what: string) => {
    if (!away) log.error({ err: error, purpose }, `${what}; reconnecting until it is back`);
    away = true;
  };
  redis.on("error", (error) => reportOutage(error, "Redis is unavailable"));
  // ioredis reports no error when a server accepts the connection but never answers.
  redis.on("connect", () => {
    const silence = setTimeout(() => {
      reportOutage(
        new Error(`no answer within ${TIMEOUT_MS} ms of the connection`),
        "Redis accepts connections but does not answer",
      );
      redis.disconnect(true);
    }, TIMEOUT_MS);
    for (const end of ["data", "close"]) redis.stream.once(end, () => clearTimeout(silence));
  });
  redis.on("ready", () => {
    if (away) log.info({ purpose }, "Redis is back");
    away = false;
  });
}

/**
 * `socketTimeout` closes only a connection that waits for an answer; without pings a subscriber
 * waits for none.
 */
function keepPinging(redis: Redis, pingMs: number): void {
  let pings: NodeJS.Timeout | undefined;
  redis.on("ready", () => {
    clearInterval(pings);
    pings = setInterval(() => redis.ping().catch(() => {}), pingMs).unref();
  });
  redis.on("close", () => clearInterval(pings));
}
