import { existsSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../../src/embedded/ports.js";
import { startTestServer } from "./test-server.js";

const PGBOUNCER = process.env["PGBOUNCER"] ?? "/usr/sbin/pgbouncer";

/** The reason why tests with PgBouncer cannot run; false if they can. */
export const NO_PGBOUNCER =
  !existsSync(PGBOUNCER) &&
  "pgbouncer was not found: apt-get install -y pgbouncer, or set PGBOUNCER to its path";

export interface PgBouncer {
  /** Returns the URL of the same database through PgBouncer. */
  urlOf(url: string): string;
  close(): Promise<void>;
}

/** Starts PgBouncer in transaction mode, with its defaults, in front of the server of `url`. */
export async function startPgBouncer(
  url: string,
  { folder, settings = [] }: { folder: string; settings?: string[] },
): Promise<PgBouncer> {
  const port = await freePort();
  const { hostname, port: serverPort, username, password } = new URL(url);
  const configuration = [
    "[databases]",
    `* = host=${hostname} port=${serverPort || 5432}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = scram-sha-256",
    "auth_file = users.txt",
    "pool_mode = transaction",
    ...settings,
  ];
  const users = `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`;
  const server = await startTestServer({
    folder: join(folder, `pgbouncer-${port}`),
    command: PGBOUNCER,
    port,
    files: { "pgbouncer.ini": `${configuration.join("\n")}\n`, "users.txt": users },
  });
  const address = { hostname: "127.0.0.1", port: String(port) };
  return {
    urlOf: (target) => Object.assign(new URL(target), address).href,
    close: server.close,
  };
}
