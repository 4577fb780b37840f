import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startRedis } from "../../../src/embedded/redis/start-redis.js";
import type { Logger } from "../../../src/runtime/logger.js";
import { createTcpProxy } from "../../support/stores/tcp-proxy.js";
import { freeze, send } from "../faults/signals.js";
import { redisAnswers, untilBack } from "../faults/until-back.js";
import type { ChaosRedis } from "./chaos-redis.js";

/** The Redis of `npm start`, which is started again when it dies. */
export async function openSingleRedis(folder: string, log: Logger): Promise<ChaosRedis> {
  const dataDir = join(folder, "redis");
  const redis = await startRedis({ dataDir, log, path: process.env["PATH"] ?? "" });
  const proxy = await createTcpProxy(redis.url);
  const back = untilBack("Redis", () => redisAnswers(redis));
  const kill = async () => {
    const old = redis.pid;
    send([old], "SIGKILL");
    await back(() => redis.pid !== old);
  };
  return {
    url: redis.url,
    proxy,
    faults: (aWhile) => [
      ["Redis killed", kill],
      [
        "Redis killed, its file lost",
        async () => {
          await rm(join(dataDir, "data", "appendonlydir"), { recursive: true, force: true });
          await kill();
        },
      ],
      ["Redis flushed", () => flush(redis.url)],
      ["Redis frozen", () => freeze([redis.pid], aWhile())],
    ],
    async close() {
      await proxy.close();
      await redis.close();
    },
  };
}

async function flush(url: string): Promise<void> {
  const client = new Redis(url, { maxRetriesPerRequest: 5 });
  client.on("error", () => {});
  await client.flushall().finally(() => client.disconnect());
}
