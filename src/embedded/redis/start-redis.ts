import { realpathSync, existsSync } from "node:fs";
import { chown, rename, rm, writeFile } from "node:fs/promises";
import { join, delimiter, dirname, isAbsolute } from "node:path";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import type { Logger } from "../../runtime/logger.js";
import { EmbeddedError } from "../embedded-error.js";
import { keepRunning, type Running } from "../processes/keep-running.js";
import { launchServer } from "../processes/launch-server.js";
import { makePrivateFolder } from "../private-folder.js";
import { openServerFolder, type EmbeddedServer, type ServerFolder } from "../open-server-folder.js";
import { reachablePath, type RunUser } from "../postgres/run-user.js";
import { stopLeftovers, type StopStep } from "../processes/processes-in.js";
import { explainFailure } from "../processes/explain-failure.js";
import { privateCopy } from "../private-copy.js";
import { runProgram, type ProgramResult } from "../processes/run-program.js";

interface StartRedisOptions {
  /** A folder only for Redis: its data, password, port, configuration and log. */
  dataDir: string;
  log: Logger;
  /**
   * Folders like in PATH, where `redis-server` and `valkey-server` are searched before the npm
   * package.
   */
  path: string;
  /** The server of the npm package; undefined: as installed; null: none. */
  bundled?: string | null;
}

interface Store {
  place: ServerFolder;
  program: string;
  data: string;
  port: number;
  log: Logger;
}

const STEPS: StopStep[] = [
  { signal: "SIGTERM", waitMs: 10_000 }, // Writes everything to disk.
  { signal: "SIGKILL", waitMs: 5_000 },
];

const UNREADABLE = new RegExp(
  [
    "Bad file format reading the append only",
    "Unexpected end of file",
    "Unrecoverable error",
    "Can't handle RDB format",
    "Fatal error loading",
    "Wrong signature",
    "(?:AOF|append only) file .*(?:doesn't|does not) exist",
    "Invalid AOF manifest",
    "reading the manifest",
  ].join("|"),
  "i",
);

/**
 * Starts a private Redis (or Valkey) on 127.0.0.1. It survives this process unless `close()` is
 * called, and the next start in the same folder replaces it. If it dies, it is started again with
 * the same URL. Throws EmbeddedError.
 */
export async function startRedis({
  dataDir,
  log,
  path,
  bundled,
}: StartRedisOptions): Promise<EmbeddedServer> {
  const place = await openServerFolder({ dataDir, program: "Redis" });
  try {
    const program = await findRedis({
      user: place.user,
      beside: place.path,
      path,
      ...(bundled !== undefined && { bundled }),
    });
    const data = join(place.path, "data");
    await makePrivateFolder(data, { user: place.user, mode: 0o700 });
    await stopOld(data, log); // First, because it may still use the previous port.
    return await place.serve(async (port) => {
      const store: Store = { place, program, data: realpathSync(data), port, log };
      const kept = await keepRunning({
        name: "Redis",
        log,
        launch: (signal) => launchReadable(store, signal),
      });
      log.info({ serverPid: kept.pid, port, folder: data, program }, "Redis is up");
      return {
        kept,
        sweep: () => stopOld(data, log),
        url: `redis://:${place.password}@127.0.0.1:${port}`,
      };
    });
  } catch (error) {
    await place.close();
    throw error;
  }
}

/**
 * All data in Redis can be restored from PostgreSQL. So unreadable data is put aside instead of
 * stopping the service.
 */
async function launchReadable(store: Store, signal: AbortSignal): Promise<Running> {
  try {
    return await launch(store, signal);
  } catch (error) {
    if (!(error instanceof EmbeddedError) || !UNREADABLE.test(error.output)) throw error;
    const aside = `${store.data}.unreadable`;
    store.log.warn(
      { folder: aside },
      "Redis cannot read its data: the data is put aside, and Redis starts empty",
    );
    await rm(aside, { recursive: true, force: true });
    await rename(store.data, aside);
    await makePrivateFolder(store.data, { user: store.place.user, mode: 0o700 });
    return await launch(store, signal);
  }
}

async function launch(
  { place, program, data, port, log }: Store,
  signal: AbortSignal,
): Promise<Running> {
  await stopOld(data, log);
  await writeConfiguration(place, port);
  return await launchServer({
    attempt: { program: "Redis", variable: "REDIS_URL", folder: place.path },
    command: program,
    args: [`${reachablePath(data, place.user)}/../redis.conf`],
    folder: data,
    user: place.user,
    logFile: join(place.path, "server.log"),
    steps: STEPS,
    isReady: () => pingRedis(port, place.password),
    signal,
  });
}

/** The password is in a file, because all users can read the arguments of a process. */
async function writeConfiguration(
  { path, user, password }: ServerFolder,
  port: number,
): Promise<void> {
  const lines = [
    "bind 127.0.0.1",
    `port ${port}`,
    `requirepass ${password}`,
    "dir ./",
    "daemonize no",
    'logfile ""',
  ];
  // Snapshots are off, because the log of commands contains everything.
  const persistence = [
    "appendonly yes",
    "appendfsync everysec",
    'save ""',
    "maxmemory-policy noeviction",
  ];
  const file = join(path, "redis.conf");
  await rm(file, { force: true });
  await writeFile(file, `${[...lines, ...persistence].join("\n")}\n`, { mode: 0o600 });
  if (user) await chown(file, user.uid, user.gid);
}

function stopOld(data: string, log: Logger): Promise<void> {
  return stopLeftovers({
    folder: data,
    programs: ["redis-server", "valkey-server"],
    steps: STEPS,
    log,
  });
}

/**
 * True when the Redis on this port of 127.0.0.1 accepts the password and answers. False when it is
 * loading, refuses, or is not running.
 */
export function pingRedis(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", timeout: 1_000 });
    let answer = "";
    const end = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.once("connect", () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on("data", (bytes) => {
      answer += bytes.toString();
      if (answer === "+OK\r\n+PONG\r\n") end(true);
      else if (/^-|\n-/.test(answer)) end(false);
    });
    for (const event of ["error", "timeout", "close"]) socket.once(event, () => end(false));
  });
}

interface FindRedisOptions {
  user: RunUser | undefined;
  /** Folder for a copy of the program, if `user` cannot run it where it is. */
  beside: string;
  /** Folders like in the variable PATH. */
  path: string;
  /** The server of the npm package; undefined: as installed; null: none. */
  bundled?: string | null;
}

const NAMES = ["redis-server", "valkey-server"];

/**
 * Finds the system's Redis or Valkey, else that of `@falkordblite/linux-x64`, and checks that it
 * runs as `user`.
 */
export async function findRedis(options: FindRedisOptions): Promise<string> {
  for (const program of onPath(options.path)) {
    if (isUsable(await tryProgram(program, options.user))) return program;
  }
  const bundled = options.bundled === undefined ? installed() : options.bundled;
  if (bundled !== null) return await runnable(bundled, options);
  throw new EmbeddedError(
    "This machine has no Redis 6.2 or newer: install it (macOS: brew install " +
      "redis; Debian and Ubuntu: " +
      "sudo apt-get install redis-server; Fedora: sudo dnf install valkey; Alpine: apk " +
      "add redis), or set REDIS_URL.",
  );
}

function onPath(path: string): string[] {
  const folders = path.split(delimiter).filter((folder) => isAbsolute(folder));
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).filter((program) =>
    existsSync(program),
  );
}

function installed(): string | null {
  try {
    const program = join(
      dirname(fileURLToPath(import.meta.resolve("@falkordblite/linux-x64/package.json"))),
      "bin",
      "redis-server",
    );
    return existsSync(program) ? program : null;
  } catch {
    return null;
  }
}

async function runnable(program: string, { user, beside }: FindRedisOptions): Promise<string> {
  let lastRun = await tryProgram(program, user);
  if (isUsable(lastRun)) return program;
  const copy =
    lastRun.error === "EACCES" &&
    (await privateCopy({
      source: dirname(program),
      name: `redis-${versionIn(await runProgram(program, ["--version"]))}`,
      user,
      beside,
      // This module is never used here, and is the larger part.
      keep: (path) => !path.endsWith("falkordb.so"),
      accept: async (folder) =>
        isUsable((lastRun = await tryProgram(join(folder, "redis-server"), user))),
    }));
  if (copy) return join(copy, "redis-server");
  throw explainFailure(
    { program: "Redis", variable: "REDIS_URL", folder: dirname(program) },
    lastRun.output,
  );
}

async function tryProgram(program: string, user: RunUser | undefined): Promise<ProgramResult> {
  const result = await runProgram(program, ["--version"], { user });
  return result.error === "ENOENT"
    ? { ...result, output: "Error loading shared library ld-linux" }
    : result;
}

function isUsable(result: ProgramResult): boolean {
  const [major = 0, minor = 0] = versionIn(result).split(".").map(Number);
  return result.code === 0 && (major > 6 || (major === 6 && minor >= 2));
}

/** The output is "Redis server v=8.0.2 sha=…" or "Valkey server v=8.1.1 …". */
function versionIn({ output }: ProgramResult): string {
  return /v=(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? "0.0.0";
}
