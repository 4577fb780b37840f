import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import postgres from "postgres";
import { processStart } from "../../src/embedded/take-lock.js";
import { createLoggerTo, type Logger } from "../../src/runtime/logger.js";
import { eventually } from "../support/runner/eventually.js";

export const isRoot = process.getuid?.() === 0;

/**
 * A folder of one test file that other users may enter, a log, and the started processes. `clear()`
 * ends them by pid and removes the folder.
 */
export interface Scene {
  folder: string;
  log: Logger;
  /** The logged lines, as JSON. */
  lines: string[];
  /**
   * Runs code in another node process with its own group; resolves with the parsed first line of
   * its output.
   */
  launch<T>(code: string): Promise<{ child: ChildProcess; firstLine: T }>;
  /** Registers a process that `clear()` kills. */
  kill(child: ChildProcess): ChildProcess;
  /** Registers a server that `clear()` closes; a killed one would be started again. */
  use<T extends { close(): Promise<void> }>(opened: T): T;
  clear(): Promise<void>;
}

/** The message about a path with this end that cannot be created or read. */
export const cannotBeUsed = (pathEnd: string, code: string): RegExp =>
  new RegExp(
    `^/.*/${pathEnd} cannot be used \\(Error: ${code}.*\\): ` +
      "remove what is in its place, or start in another folder\\.$",
  );

export function createScene(): Scene {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "embedded-")));
  chmodSync(folder, 0o755);
  const lines: string[] = [];
  const children: ChildProcess[] = [];
  const opened: { close(): Promise<void> }[] = [];
  const kill = (child: ChildProcess): ChildProcess => {
    children.push(child);
    return child;
  };
  return {
    folder,
    log: createLoggerTo({ write: (line: string) => void lines.push(line) }, "debug"),
    lines,
    kill,
    async launch<T>(code: string) {
      const child = kill(
        spawn(process.execPath, ["--input-type=module", "-e", code], {
          stdio: ["ignore", "pipe", "inherit"],
          detached: true,
        }),
      );
      const [line] = (await once(createInterface(child.stdout!), "line")) as [string];
      return { child, firstLine: JSON.parse(line) as T };
    },
    use(one) {
      opened.push(one);
      return one;
    },
    async clear() {
      for (const one of opened) await one.close();
      for (const child of children) child.kill("SIGKILL");
      for (const pid of workingUnder(folder)) end(pid);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** URL of a source module that the code of another process can import. */
export function moduleUrl(name: string): string {
  return new URL(`../../src/${name}.js`, import.meta.url).href;
}

/** Kills a process with SIGKILL and waits until it has ended. */
export async function killHard(pid: number): Promise<void> {
  end(pid);
  await eventually("it is gone", () => !isAlive(pid));
}

export function isAlive(pid: number): boolean {
  return processStart(pid) !== undefined;
}

/** Runs one statement on a new connection. */
export async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return [...(await sql.unsafe(statement))];
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** The real user id of a process. */
export function uidOf(pid: number): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** The server of the npm package, or null. */
export function bundledRedis(): string | null {
  const file = join(process.cwd(), "node_modules/@falkordblite/linux-x64/bin/redis-server");
  return existsSync(file) ? file : null;
}

function workingUnder(folder: string): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`);
      } catch {
        return false;
      }
    });
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
