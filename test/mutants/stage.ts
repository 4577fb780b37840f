import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../../src/embedded/postgres/start-postgres.js";
import { startRedis } from "../../src/embedded/redis/start-redis.js";
import { createLogger } from "../../src/runtime/logger.js";
import { createTemplateDatabase } from "../support/stores/test-database.js";
import { createLane, type Lane } from "./lane.js";

/**
 * Runs `work` with `count` lanes on a private PostgreSQL and Redis, and then removes everything.
 */
export async function withLanes(
  count: number,
  work: (lanes: Lane[]) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "photo-service-mutants-"));
  // PostgreSQL may run as another user.
  await chmod(folder, 0o755);
  const log = createLogger({ name: "mutants", level: "error", pretty: false });
  const [postgres, redis] = await Promise.all([
    startPostgres({ dataDir: join(folder, "postgres"), log, durable: false }),
    startRedis({ dataDir: join(folder, "redis"), log, path: process.env["PATH"] ?? "" }),
  ]);
  try {
    await createTemplateDatabase(postgres.url);
    const env = { ...process.env, TEST_DATABASE_URL: postgres.url, TEST_REDIS_URL: redis.url };
    await work(Array.from({ length: count }, (_, i) => createLane(join(folder, `lane-${i}`), env)));
  } finally {
    await Promise.all([postgres.close(), redis.close()]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each lane takes the next item when it has finished its last one. */
export async function shareAmong<Item>(
  lanes: Lane[],
  items: readonly Item[],
  work: (lane: Lane, item: Item) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    lanes.map(async (lane) => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift())
        await work(lane, item);
    }),
  );
}
