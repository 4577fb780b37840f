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
  /** Only for PostgreSQL: its data, password, port and log. */
  dataDir: string;
  log: Logger;
  /**
   * False, for test suites: writes faster; a kill of PostgreSQL may lose the last commits, a crash
   * of the machine everything.
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
  // Ends sessions and writes everything out.
  { signal: "SIGINT", waitMs: 10_000 },
  // Ends at once and recovers at the next start; sessions that do not obey are killed after 5 s.
  { signal: "SIGQUIT", waitMs: 7_000 },
  { signal: "SIGKILL", waitMs: 5_000 },
];

/**
 * For what a killed postmaster leaves: those that wait notice it and end by themselves, those that
 * calculate would go on. Not SIGQUIT, whose handler in a session may hang; and no harm, as their
 * shared memory is given up with them.
 */
const ORPHAN_STEPS: StopStep[] = [
  { signal: "SIGKILL", waitMs: 100, to: () => false },
  { signal: "SIGKILL", waitMs: 5_000 },
];

const UNSAFE = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/**
 * A private PostgreSQL on 127.0.0.1 with the database `photos`. It outlives us unless `close()` is
 * called; the next start in the same folder takes over. If it dies meanwhile it is started again
 * with the same URL. Throws EmbeddedError.
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
    await stopOld(data, log); // Before a port is chosen: it may hold the one we had.
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
      `PostgreSQL runs but does not let us in (${String(cause)}): put the right password ` +
      `into ${path}/password, or move ${path} away to begin anew.`;
    throw new EmbeddedError(sentence, { cause });
  }
}

/**
 * PostgreSQL takes the process named in postmaster.pid for living as soon as the system knows that
 * pid: also a zombie, and also a stranger. Its file goes only after every process that works in the
 * folder has ended, so its warning never to remove that file is respected.
 */
async function stopOld(data: string, log: Logger): Promise<void> {
  const programs = ["postgres"];
  const old = await readPidFile(data);
  const isPostmaster = (pid: number): boolean => pid === old?.pid;
  const alive = processesIn(data, programs).some(isPostmaster);
  // Only the postmaster understands these signals as "stop".
  const steps = alive
    ? STEPS.map((step) => (step.signal === "SIGKILL" ? step : { ...step, to: isPostmaster }))
    : ORPHAN_STEPS;
  await stopLeftovers({ folder: data, programs, steps, log });
  await rm(join(data, "postmaster.pid"), { force: true });
}

/** Lines: pid, folder, start, port, socket folder, address, shared memory, status. */
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
 * Makes the database that `url` names, unless it is there; throws when the server does not let us
 * in.
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
