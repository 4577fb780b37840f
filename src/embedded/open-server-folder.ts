import { readFile, realpath, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { EmbeddedError } from "./embedded-error.js";
import { freePort } from "./ports.js";
import type { KeptRunning } from "./processes/keep-running.js";
import { keptSecret, makePrivateFolder } from "./private-folder.js";
import { chooseRunUser, type RunUser } from "./postgres/run-user.js";
import { takeLock } from "./take-lock.js";

export interface EmbeddedServer {
  /**
   * The URL with the password. It stays the same while this process runs, and usually at the next
   * start.
   */
  url: string;
  port: number;
  /** The pid of the current process; it changes when the server died and was started again. */
  readonly pid: number;
  /** Stops the server and waits until it has ended; the data is kept. */
  close(): Promise<void>;
}

export interface ServerFolder {
  path: string;
  /**
   * The user that the server runs as; undefined means the current user. That user owns only the
   * folder `data`.
   */
  user: RunUser | undefined;
  password: string;
  /**
   * Calls `start` with the previous port if it is free, else with another one. Tries again when
   * another process took the port first.
   */
  serve(start: (port: number) => Promise<Served>): Promise<EmbeddedServer>;
  /** Releases the lock, so that another start can use the folder. */
  close(): Promise<void>;
}

export interface Served {
  kept: Pick<KeptRunning, "pid" | "close">;
  url: string;
  /** Ends remaining processes of a killed server, after its last restart. */
  sweep(): Promise<void>;
}

const PORTS_TRIED = 5;

/**
 * Opens the folder of one server, for one start at a time, and reads or creates what the server
 * needs.
 */
export async function openServerFolder({
  dataDir,
  program,
}: {
  dataDir: string;
  program: string;
}): Promise<ServerFolder> {
  const user = chooseRunUser(join(resolve(dataDir), "data"));
  // 0711, because the server's user must reach its data and its password.
  await makePrivateFolder(resolve(dataDir), { mode: user ? 0o711 : 0o700 });
  const path = await realpath(dataDir);
  const lock = await takeLock(
    join(path, "lock"),
    (pid) => `${program} already runs in ${path} for process ${pid}: stop it first (kill ${pid}).`,
  );
  const portFile = join(path, "port");
  return {
    path,
    user,
    password: await keptSecret(join(path, "password"), user),
    close: lock.close,
    async serve(start) {
      const { port, kept, url, sweep } = await withPort(await lastPort(portFile), start);
      await writeFile(portFile, String(port));
      const close = async (): Promise<void> => {
        await kept.close().then(sweep).finally(lock.close);
      };
      return {
        url,
        port,
        close,
        get pid() {
          return kept.pid;
        },
      };
    },
  };
}

async function lastPort(file: string): Promise<number | undefined> {
  const port = Number(await readFile(file, "utf8").catch(() => ""));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

async function withPort<T>(
  last: number | undefined,
  start: (port: number) => Promise<T>,
): Promise<T & { port: number }> {
  for (let tries = 1; ; tries++) {
    const port = await freePort(tries === 1 ? last : undefined);
    try {
      return { ...(await start(port)), port };
    } catch (error) {
      const isPortTaken =
        error instanceof EmbeddedError && /Address already in use|EADDRINUSE/.test(error.output);
      if (!isPortTaken || tries === PORTS_TRIED) throw error;
    }
  }
}
