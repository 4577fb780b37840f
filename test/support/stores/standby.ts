// A standby of an embedded PostgreSQL by streaming replication. It can be promoted.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import { findPostgres } from "../../../src/embedded/postgres/find-postgres.js";
import { freePort } from "../../../src/embedded/ports.js";
import { launchServer } from "../../../src/embedded/processes/launch-server.js";
import { makePrivateFolder } from "../../../src/embedded/private-folder.js";
import { chooseRunUser } from "../../../src/embedded/postgres/run-user.js";
import { eventually } from "../runner/eventually.js";

export interface Standby {
  url: string;
  /** Stops the replication; later commits exist only on the primary. */
  unfollow(): Promise<void>;
  /** Resolves when the standby accepts writes. */
  promote(): Promise<void>;
  close(): Promise<void>;
}

/** `primary` is a server of `startPostgres`, with its data directory. */
export async function startStandby(
  primary: { url: string; dataDir: string },
  dataDir: string,
): Promise<Standby> {
  const user = chooseRunUser(join(primary.dataDir, "data"));
  const data = join(dataDir, "data");
  await mkdir(dataDir, { recursive: true });
  const { postgres: command } = await findPostgres({ user, beside: dataDir });
  await copyData(primary, data);
  await makePrivateFolder(data, { user, mode: 0o700 });
  const port = await freePort();
  const { username, password, hostname, port: primaryPort } = new URL(primary.url);
  const conninfo = `host=${hostname} port=${primaryPort} user=${username} password=${password}`;
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    `port=${port}`,
  ];
  await writeFile(join(data, "postgresql.auto.conf"), `primary_conninfo = '${conninfo}'\n`);
  const running = await launchServer({
    attempt: { program: "PostgreSQL", variable: "DATABASE_URL", folder: dataDir },
    command,
    args: ["-D", data, ...settings.flatMap((setting) => ["-c", setting])],
    folder: data,
    user,
    logFile: join(dataDir, "server.log"),
    steps: [
      { signal: "SIGINT", waitMs: 10_000 },
      { signal: "SIGKILL", waitMs: 5000 },
    ],
    isReady: async () =>
      /^(ready|standby) *$/m.test(
        await readFile(join(data, "postmaster.pid"), "utf8").catch(() => ""),
      ),
    signal: AbortSignal.timeout(60_000),
  });
  const url = Object.assign(new URL(primary.url), { port: String(port) }).href;
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const isFollowing = async () =>
    (await sql`select from pg_stat_wal_receiver where status = 'streaming'`).length > 0;
  await eventually("the standby follows the primary", isFollowing);
  return {
    url,
    async unfollow() {
      await sql.unsafe("alter system set primary_conninfo = ''");
      await sql`select pg_reload_conf()`;
      await eventually("the standby has stopped following", async () => !(await isFollowing()));
    },
    promote: async () => void (await sql`select pg_promote()`),
    async close() {
      await sql.end({ timeout: 5 });
      await running.stop();
    },
  };
}

/** Does the work of `pg_basebackup`, which the embedded PostgreSQL does not include. */
async function copyData(primary: { url: string; dataDir: string }, data: string): Promise<void> {
  const sql = postgres(primary.url, { max: 1, onnotice: () => {} });
  try {
    await sql`select pg_backup_start('standby', true)`;
    await cp(join(primary.dataDir, "data"), data, { recursive: true });
    const [stopped] = await sql<
      { labelfile: string }[]
    >`select labelfile from pg_backup_stop(false)`;
    await rm(join(data, "postmaster.pid"));
    await writeFile(join(data, "backup_label"), stopped?.labelfile ?? "");
    await writeFile(join(data, "standby.signal"), "");
  } finally {
    await sql.end({ timeout: 5 });
  }
}
