import { readFile, realpath, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { EmbeddedError } from "./embedded-error.js";
import { freePort } from "./ports.js";
import type { KeptRunning } from "./processes/keep-running.js";
import { keptSecret, makePrivateFolder } from "./private-folder.js";
import { chooseRunUser, type RunUser } from "./postgres/run-user.js";
import { takeLock } from "./take-lock.js";

export interface EmbeddedServer {
  /** With the password in it; the same for as long as we run, and usually at the next start. */
  url: string;
  port: number;
  /** Of the process that runs now: it changes when that one died and was started again. */
  readonly pid: number;
  /** Stops the server and waits for its end; the data stays. */
  close(): Promise<void>;
}

export interface ServerFolder {
  path: string;
  /**
   * As whom the server runs; undefined: as us. Only its folder `data` is that user's; the rest is
   * ours.
   */
  user: RunUser | undefined;
  password: string;
  /**
   * Calls `start` with the last port if it is free, else with another one, and again when it was
   * taken in between.
   */
  serve(start: (port: number) => Promise<Served>): Promise<EmbeddedServer>;
  /** Lets another start have the folder. */
  close(): Promise<void>;
}

export interface Served {
  kept: Pick<KeptRunning, "pid" | "close">;
  url: string;
  /** Ends what a server that was killed may have left, once it is not started again any more. */
  sweep(): Promise<void>;
}

const PORTS_TRIED = 5;

/**
 * Takes the folder of one server, for one start at a time, and finds in it what that server is to
 * be started with.
 */
export async function openServerFolder({
  dataDir,
  program,
}: {
  dataDir: string;
  program: string;
}): Promise<ServerFolder> {
  const user = chooseRunUser(join(resolve(dataDir), "data"));
  // 0711: the server's user must pass, to its data and to its password.
  await makePrivateFolder(resolve(dataDir), { mode: user ? 0o711 : 0o700 });
  const path = await realpath(dataDir);
  const lock = await takeLock(
    join(path, "lock"),
    (pid) =>
      `${program} already runs in ${path} for process ${pid}: stop that one first (kill ${pid}).`,
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
      const taken =
        error instanceof EmbeddedError && /Address already in use|EADDRINUSE/.test(error.output);
      if (!taken || tries === PORTS_TRIED) throw error;
    }
  }
}
