import { createTcpProxy } from "./tcp-proxy.js";
import { createTestDatabase } from "./test-database.js";
import type { TestDatabase } from "./test-database.js";
import { startTestService } from "./test-service.js";
import type { TestService } from "./test-service.js";

export interface CountedService {
  service: TestService;
  /** Direct, uncounted. */
  database: TestDatabase["database"];
  /** How many statements PostgreSQL is sent while `work` is under way. */
  statements(work: () => Promise<unknown>): Promise<number>;
  /** PostgreSQL is away until `up`. */
  down(): void;
  up(): void;
  close(): Promise<void>;
}

/** A service whose way to PostgreSQL is listened to. Without workers, so that nothing but the test asks it anything. */
export async function startCountedService(env: Record<string, string> = {}): Promise<CountedService> {
  let count = 0;
  const store = await createTestDatabase();
  const proxy = await createTcpProxy(store.url, () => statementListener(() => count++));
  const service = await startTestService({ workers: 0, store, env: { ...env, DATABASE_URL: proxy.url } });
  return {
    service,
    database: store.database,
    async statements(work) {
      const before = count;
      await work();
      return count - before;
    },
    down: proxy.down,
    up: proxy.up,
    async close() {
      await service.close();
      await proxy.close();
    },
  };
}

/** Counts the messages Execute and Query of PostgreSQL's protocol: a type, a length that counts itself, a body. The first message has no type. */
function statementListener(onStatement: () => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  let started = false;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const head = started ? 1 : 0;
      if (rest.length < head + 4 || rest.length < head + rest.readUInt32BE(head)) return;
      if (started && "EQ".includes(String.fromCharCode(rest[0] ?? 0))) onStatement();
      rest = rest.subarray(head + rest.readUInt32BE(head));
      started = true;
    }
  };
}
