import { createTcpProxy, type TcpProxy } from "../stores/tcp-proxy.js";
import { createTestDatabase } from "../stores/test-database.js";
import { testRedis } from "../stores/test-redis.js";
import { startTestService, type TestService } from "./test-service.js";

export interface CuttableService {
  service: TestService;
  postgres: TcpProxy;
  redis: TcpProxy;
  close(): Promise<void>;
}

/** A service without workers, whose ways to PostgreSQL and to Redis can be cut. */
export async function createCuttableService(
  env: Record<string, string> = {},
): Promise<CuttableService> {
  const store = await createTestDatabase();
  const [postgres, redis] = await Promise.all([
    createTcpProxy(store.url),
    createTcpProxy(testRedis().url),
  ]);
  const service = await startTestService({
    workers: 0,
    store,
    env: { ...env, DATABASE_URL: postgres.url, REDIS_URL: redis.url },
  });
  return {
    service,
    postgres,
    redis,
    async close() {
      await service.close();
      await Promise.all([postgres.close(), redis.close()]);
    },
  };
}
