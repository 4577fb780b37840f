import { createTcpProxy, type TcpProxy } from "./tcp-proxy.js";

/** Proxies through which a service reaches its stores. */
export interface ProxiedStores {
  postgres: TcpProxy;
  redis: TcpProxy;
  /** Counts the statements sent to PostgreSQL through the proxy while `work` runs. */
  statements(work: () => Promise<unknown>): Promise<number>;
  close(): Promise<void>;
}

export async function createProxiedStores(urls: {
  postgres: string;
  redis: string;
}): Promise<ProxiedStores> {
  let count = 0;
  const [postgres, redis] = await Promise.all([
    createTcpProxy(urls.postgres, () => statementListener(() => count++)),
    createTcpProxy(urls.redis),
  ]);
  return {
    postgres,
    redis,
    async statements(work) {
      const before = count;
      await work();
      return count - before;
    },
    async close() {
      await Promise.all([postgres.close(), redis.close()]);
    },
  };
}

/** The watchdog's statement, which runs every two seconds in every test. */
const IN_BACKGROUND = /pg_control_system\(\)/;

/**
 * Counts the Bind and Query messages of PostgreSQL's protocol. A message has a type, a length that
 * includes itself, and a body; the first message has no type.
 */
function statementListener(onStatement: () => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  let started = false;
  const background = new Set<string>();

  function read(type: string, body: Buffer): void {
    const [first = "", second = ""] = body.toString("latin1").split("\0");
    // A Parse message has a statement's name and text; Bind has the names of portal and statement.
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
