import { createTcpProxy } from "../stores/tcp-proxy.js";
import { createTestDatabase, type TestDatabase } from "../stores/test-database.js";
import { startTestService, type TestService } from "./test-service.js";

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

/**
 * A service whose way to PostgreSQL is listened to. Without workers, so that nothing but the test
 * asks it anything.
 */
export async function startCountedService(
  env: Record<string, string> = {},
): Promise<CountedService> {
  let count = 0;
  const store = await createTestDatabase();
  const proxy = await createTcpProxy(store.url, () => statementListener(() => count++));
  const service = await startTestService({
    workers: 0,
    store,
    env: { ...env, DATABASE_URL: proxy.url },
  });
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

/** The watchdog's, which comes every two seconds whatever the test does. */
const IN_BACKGROUND = /pg_control_system\(\)/;

/**
 * Counts the messages Bind and Query of PostgreSQL's protocol: a type, a length that counts itself,
 * a body. The first message has no type.
 */
function statementListener(onStatement: () => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  let started = false;
  const background = new Set<string>();

  function read(type: string, body: Buffer): void {
    const [first = "", second = ""] = body.toString("latin1").split("\0");
    // Parse names a statement and has its text; Bind names a portal and the statement.
    if (type === "P" && IN_BACKGROUND.test(second)) background.add(first);
    if (type === "Q" || (type === "B" && !background.has(second))) onStatement();
  }

  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const head = started ? 1 : 0;
      if (rest.length < head + 4 || rest.length < head + rest.readUInt32BE(head)) return;
      const end = head + rest.readUInt32BE(head);
      if (started) read(String.fromCharCode(rest[0] ?? 0), rest.subarray(head + 4, end));
      rest = rest.subarray(end);
      started = true;
    }
  };
}
