import { realpathSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import type { Logger } from "../../runtime/logger.js";
import { EmbeddedError } from "../embedded-error.js";
import { findPostgres } from "./find-postgres.js";
import { initCluster } from "./init-cluster.js";
import { keepRunning, type KeptRunning, type Running } from "../processes/keep-running.js";
import { launchServer } from "../processes/launch-server.js";
import { openServerFolder, type EmbeddedServer, type ServerFolder } from "../open-server-folder.js";
import { processesIn, stopLeftovers, type StopStep } from "../processes/processes-in.js";
import { reachablePath } from "./run-user.js";

export interface StartPostgresOptions {
  /** A folder only for PostgreSQL: its data, password, port and log. */
  dataDir: string;
  log: Logger;
  /**
   * False makes writes faster, for test suites. Then a killed PostgreSQL may lose the last commits,
   * and a crash of the machine may lose everything.
   */
  durable?: boolean;
}

interface Cluster {
  place: ServerFolder;
  postgres: string;
  data: string;
  port: number;
  url: string;
  durable: boolean;
  log: Logger;
}

const NAME = "photos";

const STEPS: StopStep[] = [
  // SIGINT ends sessions and writes everything to disk.
  { signal: "SIGINT", waitMs: 10_000 },
  // SIGQUIT ends the server at once, which recovers at the next start; it kills remaining sessions
  // after 5 s.
  { signal: "SIGQUIT", waitMs: 7_000 },
  { signal: "SIGKILL", waitMs: 5_000 },
];

/**
 * Steps for the sessions of a killed postmaster. Waiting sessions notice it and end; computing ones
 * would continue. SIGQUIT is not used, because its handler in a session may hang. SIGKILL does no
 * harm, because their shared memory is discarded.
 */
const ORPHAN_STEPS: StopStep[] = [
  { signal: "SIGKILL", waitMs: 100, to: () => false },
  { signal: "SIGKILL", waitMs: 5_000 },
];

const UNSAFE = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/**
 * Starts a private PostgreSQL on 127.0.0.1 with the database `photos`. It survives this process
 * unless `close()` is called, and the next start in the same folder replaces it. If it dies, it is
 * started again with the same URL. Throws EmbeddedError.
 */
export async function startPostgres({
  dataDir,
  log,
  durable = true,
}: StartPostgresOptions): Promise<EmbeddedServer> {
  const place = await openServerFolder({ dataDir, program: "PostgreSQL" });
  try {
    const programs = await findPostgres({ user: place.user, beside: place.path });
    const data = realpathSync(
      await initCluster({
        dataDir: place.path,
        programs,
        user: place.user,
        owner: NAME,
        durable,
        log,
      }),
    );
    await stopOld(data, log); // First, because it may still use the previous port.
    return await place.serve(async (port) => {
      const url = `postgres://${NAME}:${place.password}@127.0.0.1:${port}/${NAME}`;
      const kept = await keep({
        place,
        postgres: programs.postgres,
        data,
        port,
        url,
        durable,
        log,
      });
      log.info({ serverPid: kept.pid, port, folder: data }, "PostgreSQL is up");
      return { kept, url, sweep: () => stopOld(data, log) };
    });
  } catch (error) {
    await place.close();
    throw error;
  }
}

function keep(cluster: Cluster): Promise<KeptRunning> {
  return keepRunning({
    name: "PostgreSQL",
    log: cluster.log,
    launch: (signal) => launch(cluster, signal),
  });
}

async function launch(cluster: Cluster, signal: AbortSignal): Promise<Running> {
  const { place, postgres: command, data, port, url, durable, log } = cluster;
  await stopOld(data, log);
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    `port=${port}`,
    "max_connections=100",
    "timezone=UTC",
    "log_timezone=UTC",
  ];
  const running = await launchServer({
    attempt: { program: "PostgreSQL", variable: "DATABASE_URL", folder: place.path },
    command,
    args: [
      "-D",
      reachablePath(data, place.user),
      ...[...settings, ...(durable ? [] : UNSAFE)].flatMap((setting) => ["-c", setting]),
    ],
    folder: data,
    user: place.user,
    logFile: join(place.path, "server.log"),
    steps: STEPS,
    isReady: async (pid) => (await readPidFile(data))?.readyPid === pid,
    signal,
  });
  await prove(url, running, place.path);
  return running;
}

async function prove(url: string, running: Running, path: string): Promise<void> {
  try {
    await ensureDatabase(url);
  } catch (cause) {
    await running.stop();
    const sentence =
      `PostgreSQL runs, but it rejected the login (${String(cause)}): put the right password ` +
      `into ${path}/password, or move ${path} away to start with empty data.`;
    throw new EmbeddedError(sentence, { cause });
  }
}

/**
 * PostgreSQL believes that the process in postmaster.pid is alive whenever that pid exists, even
 * for a zombie or another program. The file is removed only after every process in the folder has
 * ended, so PostgreSQL's warning not to remove it is respected.
 */
async function stopOld(data: string, log: Logger): Promise<void> {
  const programs = ["postgres"];
  const old = await readPidFile(data);
  const isPostmaster = (pid: number): boolean => pid === old?.pid;
  const alive = processesIn(data, programs).some(isPostmaster);
  // Only the postmaster interprets these signals as "stop".
  const steps = alive
    ? STEPS.map((step) => (step.signal === "SIGKILL" ? step : { ...step, to: isPostmaster }))
    : ORPHAN_STEPS;
  await stopLeftovers({ folder: data, programs, steps, log });
  await rm(join(data, "postmaster.pid"), { force: true });
}

/** The lines are pid, folder, start, port, socket folder, address, shared memory and status. */
async function readPidFile(
  data: string,
): Promise<{ pid: number; readyPid: number | undefined } | undefined> {
  const text = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  return { pid, readyPid: lines[7]?.trim() === "ready" ? pid : undefined };
}

/**
 * Creates the database that `url` names, unless it exists. Throws when the server rejects the
 * login.
 */
export async function ensureDatabase(url: string): Promise<void> {
  try {
    await run(url, "select 1");
  } catch (error) {
    if (codeOf(error) !== "3D000") throw error;
    await create(url);
  }
}

async function create(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const server = new URL(url);
  server.pathname = "/postgres";
  await run(server.href, `create database "${name}"`);
}

async function run(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
