import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Logger } from "../../runtime/logger.js";
import { EmbeddedError } from "../embedded-error.js";
import { waitUntil } from "./wait-until.js";

/**
 * The living processes that work in `folder` (its real path) and are one of `programs`. PostgreSQL
 * and Redis both step into their data folder, their children with them, so this finds the ones of a
 * run whose launcher was killed, and never a stranger who got the same pid. The name matters: a
 * shell may stand in that folder.
 */
export function processesIn(
  folder: string,
  programs: string[],
  platform: string = process.platform,
): number[] {
  const everyone = platform === "linux" ? fromProc() : fromLsof();
  return everyone
    .filter(({ cwd, name }) => isIn(cwd, folder) && programs.includes(name))
    .map(({ pid }) => pid);
}

interface Working {
  pid: number;
  name: string;
  cwd: string;
}

/**
 * A removed folder counts as well: what still works in it would hold its port and write to nowhere.
 */
function isIn(cwd: string, folder: string): boolean {
  return cwd === folder || cwd === `${folder} (deleted)`;
}

function fromProc(): Working[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const cwd = readlinkSync(`/proc/${name}/cwd`);
        return [
          { pid: Number(name), name: readFileSync(`/proc/${name}/comm`, "utf8").trim(), cwd },
        ];
      } catch {
        return []; // Ended meanwhile, a zombie, or another user's: none of ours.
      }
    });
}

/**
 * Where there is no /proc. Without lsof nothing is found, and the servers' own locks are what is
 * left.
 */
function fromLsof(): Working[] {
  const { stdout } = spawnSync("lsof", ["-w", "-n", "-P", "-d", "cwd", "-F", "pcn"], {
    encoding: "utf8",
  });
  const found: Working[] = [];
  for (const line of (stdout ?? "").split("\n")) {
    const value = line.slice(1);
    if (line.startsWith("p")) found.push({ pid: Number(value), name: "", cwd: "" });
    const last = found.at(-1);
    if (last && line.startsWith("c")) last.name = value;
    if (last && line.startsWith("n")) last.cwd = value;
  }
  return found;
}

export interface StopStep {
  signal: NodeJS.Signals;
  waitMs: number;
  /** Which of those found get the signal; all by default. With none of them the step only waits. */
  to?: (pid: number) => boolean;
}

/**
 * Ends what a run that was killed left working in `folder`; step by step, until nothing is left.
 */
export async function stopLeftovers(options: {
  folder: string;
  programs: string[];
  steps: StopStep[];
  log: Logger;
}): Promise<void> {
  const { folder, programs, steps, log } = options;
  const find = (): number[] => processesIn(folder, programs);
  if (find().length === 0) return;
  log.warn({ pids: find(), folder }, "a server was left running: stopping it");
  for (const { signal, waitMs, to = () => true } of steps) {
    for (const pid of find().filter(to)) send(pid, signal);
    if (await waitUntil(() => find().length === 0, { deadlineMs: waitMs })) return;
  }
  throw new EmbeddedError(
    `An earlier server still runs in ${folder} and does not stop: end process ` +
      `${find().join(", ")} and start again.`,
  );
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Ended meanwhile; or not ours to signal, and then the last step says so.
  }
}
