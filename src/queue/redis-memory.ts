import type { createRedis } from "../runtime/redis.js";

/** Share of Redis's memory from which on it counts as nearly full. */
const NEARLY_FULL = 0.9;
const READ_MS = 1000;

/**
 * Knows how full Redis is. A Redis without room refuses to hand out hints, too, so hints that
 * filled it would never leave it.
 */
export class RedisMemory {
  readonly #redis: Pick<ReturnType<typeof createRedis>, "info">;
  #share: number | null = null;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(redis: Pick<ReturnType<typeof createRedis>, "info">) {
    this.#redis = redis;
  }

  /** As of the last reading, which this renews in the background when it is a second old. */
  get isNearlyFull(): boolean {
    if (performance.now() - this.#readAt >= READ_MS) void this.read();
    return (this.#share ?? 0) >= NEARLY_FULL;
  }

  /** Returns the share of `maxmemory` in use; null without a limit, or while Redis is unavailable. */
  async read(): Promise<number | null> {
    this.#readAt = performance.now();
    const info = await this.#redis.info("memory").catch(() => "");
    const numberOf = (name: string) =>
      Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
    const limit = numberOf("maxmemory");
    this.#share = limit > 0 ? numberOf("used_memory") / limit : null;
    return this.#share;
  }
}
