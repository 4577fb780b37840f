import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

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
