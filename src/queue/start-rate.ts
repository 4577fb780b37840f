import type { Logger } from "../runtime/logger.js";
import { createRedis } from "../runtime/redis.js";
import { LANES, type Lane } from "./hint-queue.js";

export interface StartRate {
  /** Counts an attempt that was started here in this lane. */
  note(lane: Lane): void;
  /**
   * Returns the starts per second of all workers over the last minute with starts; null if unknown.
   */
  rate(lane: Lane): Promise<number | null>;
  close(): Promise<void>;
}

const BUCKET_SECONDS = 10;
const BUCKETS = 6;
const FLUSH_MS = 1000;

/**
 * Counts starts of waiting work in Redis in steps of ten seconds. The rate is an estimate for
 * planning, so its loss does no harm.
 */
export function createStartRate(options: {
  redisUrl: string;
  prefix: string;
  log: Logger;
  now?: () => number;
}): StartRate {
  const now = options.now ?? Date.now;
  const redis = createRedis({
    url: options.redisUrl,
    prefix: options.prefix,
    purpose: "start rate",
    failFast: true,
    log: options.log,
  });
  const counts = new Map<Lane, number>(LANES.map((lane) => [lane, 0]));
  const bucket = () => Math.floor(now() / 1000 / BUCKET_SECONDS);
  const keyOf = (lane: Lane, number: number) => `${options.prefix}:starts:${lane}:${number}`;

  async function flush(): Promise<void> {
    const batch = redis.pipeline();
    for (const [lane, count] of counts)
      if (count > 0)
        batch
          .incrby(keyOf(lane, bucket()), count)
          .expire(keyOf(lane, bucket()), BUCKET_SECONDS * (BUCKETS + 1));
    for (const lane of LANES) counts.set(lane, 0);
    if (batch.length > 0) await batch.exec();
  }

  const timer = setInterval(
    () =>
      void flush().catch((error: unknown) =>
        options.log.debug({ err: error }, "starts were not counted"),
      ),
    FLUSH_MS,
  );

  return {
    note: (lane) => void counts.set(lane, (counts.get(lane) ?? 0) + 1),
    async rate(lane) {
      const keys = Array.from({ length: BUCKETS }, (_, i) => keyOf(lane, bucket() - i));
      const bucketCounts = (await redis.mget(keys).catch(() => []))
        .map(Number)
        .filter((count) => count > 0);
      return bucketCounts.length === 0
        ? null
        : bucketCounts.reduce((sum, count) => sum + count, 0) /
            (bucketCounts.length * BUCKET_SECONDS);
    },
    async close() {
      clearInterval(timer);
      redis.disconnect();
    },
  };
}
