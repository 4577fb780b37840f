import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makePrivateFolder } from "../../src/embedded/private-folder.js";
import { keepRunning } from "../../src/embedded/processes/keep-running.js";
import { launchServer } from "../../src/embedded/processes/launch-server.js";
import { openServerFolder, type EmbeddedServer } from "../../src/embedded/open-server-folder.js";
import { runProgram } from "../../src/embedded/processes/run-program.js";
import type { Logger } from "../../src/runtime/logger.js";

const PROGRAMS = ["initdb", "postgres", "pg_dump", "pg_restore", "psql"];
/**
 * Debian's folder for complete versions. The embedded PostgreSQL has no tools, and tools must not
 * be older than the server.
 */
const ROOT = "/usr/lib/postgresql";
const versions = existsSync(ROOT)
  ? readdirSync(ROOT)
      .toSorted((a, b) => Number(b) - Number(a))
      .map((version) => join(ROOT, version, "bin"))
  : [];
/** Folder of the newest PostgreSQL on this machine that has its tools. */
const newest = versions.find((bin) => PROGRAMS.every((program) => existsSync(join(bin, program))));

export const POSTGRES_TOOLS = newest ?? "";
/** Reason why tests with these tools are skipped; false if the tools exist. */
export const NO_POSTGRES_TOOLS =
  newest === undefined &&
  `no PostgreSQL with pg_dump, pg_restore and psql exists below ${ROOT}: apt-get ` +
    "install -y postgresql";

/** Starts a private PostgreSQL with the version of POSTGRES_TOOLS. */
export async function startTooledPostgres({
  dataDir,
  log,
}: {
  dataDir: string;
  log: Logger;
}): Promise<EmbeddedServer> {
  const place = await openServerFolder({ dataDir, program: "PostgreSQL" });
  const { user } = place;
  const data = join(place.path, "data");
  await makePrivateFolder(data, { user, mode: 0o700 });
  const initdb = await runProgram(
    join(POSTGRES_TOOLS, "initdb"),
    [
      `--pgdata=${data}`,
      "--username=photos",
      `--pwfile=${place.path}/password`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync",
    ],
    { user, cwd: data },
  );
  if (initdb.code !== 0) throw new Error(initdb.output);
  const pidFile = join(data, "postmaster.pid");
  const launch = (port: number, signal: AbortSignal) =>
    launchServer({
      attempt: { program: "PostgreSQL", variable: "DATABASE_URL", folder: place.path },
      command: join(POSTGRES_TOOLS, "postgres"),
      args: [
        "-D",
        data,
        ...[
          "listen_addresses=127.0.0.1",
          "unix_socket_directories=",
          `port=${port}`,
          "fsync=off",
        ].flatMap((setting) => ["-c", setting]),
      ],
      folder: data,
      user,
      logFile: join(place.path, "server.log"),
      steps: [
        { signal: "SIGINT", waitMs: 10_000 },
        { signal: "SIGKILL", waitMs: 5000 },
      ],
      isReady: () =>
        existsSync(pidFile) && readFileSync(pidFile, "utf8").split("\n")[7]?.trim() === "ready",
      signal,
    });
  return place.serve(async (port) => ({
    kept: await keepRunning({ name: "PostgreSQL", log, launch: (signal) => launch(port, signal) }),
    url: `postgres://photos:${place.password}@127.0.0.1:${port}/postgres`,
    sweep: async () => {},
  }));
}
