import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Logger } from "../../runtime/logger.js";
import { EmbeddedError } from "../embedded-error.js";
import { waitUntil } from "./wait-until.js";

/**
 * The running processes whose working directory is `folder` (its real path) and that are one of
 * `programs`. PostgreSQL and Redis both change to their data folder, and so do their children. This
 * finds the processes of a killed run, and never another process with the same pid. The name is
 * checked, because a shell may also be in that folder.
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

/** A deleted folder also counts: a process in it would still use its port. */
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
        return []; // It has ended, is a zombie, or belongs to another user.
      }
    });
}

/**
 * Used where /proc does not exist. Without lsof nothing is found, and only the servers' own locks
 * protect the data.
 */
function fromLsof(): Working[] {
  const { stdout } = spawnSync("lsof", ["-w", "-n", "-P", "-d", "cwd", "-F", "pcn"], {
    encoding: "utf8",
  });
  const processes: Working[] = [];
  for (const line of (stdout ?? "").split("\n")) {
    const value = line.slice(1);
    if (line.startsWith("p")) processes.push({ pid: Number(value), name: "", cwd: "" });
    const last = processes.at(-1);
    if (last && line.startsWith("c")) last.name = value;
    if (last && line.startsWith("n")) last.cwd = value;
  }
  return processes;
}

export interface StopStep {
  signal: NodeJS.Signals;
  waitMs: number;
  /**
   * Selects the processes that get the signal; default: all. When none is selected, the step only
   * waits.
   */
  to?: (pid: number) => boolean;
}

/** Ends the processes that a killed run left in `folder`, step by step. */
export async function stopLeftovers(options: {
  folder: string;
  programs: string[];
  steps: StopStep[];
  log: Logger;
}): Promise<void> {
  const { folder, programs, steps, log } = options;
  const find = (): number[] => processesIn(folder, programs);
  if (find().length === 0) return;
  log.warn({ pids: find(), folder }, "an earlier server still runs: stopping it");
  for (const { signal, waitMs, to = () => true } of steps) {
    for (const pid of find().filter(to)) send(pid, signal);
    if (await waitUntil(() => find().length === 0, { deadlineMs: waitMs })) return;
  }
  throw new EmbeddedError(
    `An earlier server in ${folder} does not stop: end process ` +
      `${find().join(", ")} and start again.`,
  );
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended, or the signal is not allowed; then `stopLeftovers` reports it.
  }
}
