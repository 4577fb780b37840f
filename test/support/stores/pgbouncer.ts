import { existsSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { freePort } from "../../../src/embedded/ports.js";
import { startTestServer, type TestServer } from "./test-server.js";

const PGBOUNCER = process.env["PGBOUNCER"] ?? "/usr/sbin/pgbouncer";

/** The reason why tests with PgBouncer cannot run; false if they can. */
export const NO_PGBOUNCER =
  !existsSync(PGBOUNCER) &&
  "pgbouncer was not found: apt-get install -y pgbouncer, or set PGBOUNCER to its path";

export interface PgBouncer extends TestServer {
  /** Returns the URL of the same database through PgBouncer. */
  urlOf(url: string): string;
  /** Sets a limit while `work` runs; PgBouncer keeps the connections that it has. */
  withSetting(setting: { name: string; value: number }, work: () => Promise<void>): Promise<void>;
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
    `admin_users = ${decodeURIComponent(username)}`,
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
  const urlOf = (target: string) => Object.assign(new URL(target), address).href;
  return {
    ...server,
    urlOf,
    async withSetting({ name, value }, work) {
      const admin = postgres(urlOf(url), { database: "pgbouncer", max: 1, fetch_types: false });
      try {
        const [old] = (await admin.unsafe("show config")).filter(({ key }) => key === name);
        await admin.unsafe(`set ${name} = ${value}`);
        await work().finally(() => admin.unsafe(`set ${name} = ${old?.["value"]}`));
      } finally {
        await admin.end({ timeout: 1 });
      }
    },
  };
}
