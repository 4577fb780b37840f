import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import { pingRedis } from "../../../src/embedded/redis/start-redis.js";

const WITHIN_MS = 60_000;

/** Waits until a new process of a killed store answers. */
export function untilBack(
  name: string,
  answers: () => Promise<boolean>,
): (isOther: () => boolean) => Promise<void> {
  return async (isOther) => {
    for (const deadline = Date.now() + WITHIN_MS; Date.now() < deadline; await pause(50))
      if (isOther() && (await answers())) return;
    throw new Error(`${name} did not come back within ${WITHIN_MS} ms`);
  };
}

export async function postgresAnswers({ url }: { url: string }): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
  return sql`select 1`
    .then(
      () => true,
      () => false,
    )
    .finally(() => sql.end({ timeout: 1 }));
}

export function redisAnswers({ url, port }: { url: string; port: number }): Promise<boolean> {
  return pingRedis(port, new URL(url).password);
}
