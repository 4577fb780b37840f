import { readFileSync, readdirSync } from "node:fs";

/** Ids of a living process and all its descendants, from Linux's /proc. */
export function processTree(root: number): number[] {
  const everyone = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
  const tree = everyone.filter(({ pid }) => pid === root);
  for (const parent of tree) tree.push(...everyone.filter(({ ppid }) => ppid === parent.pid));
  return tree.map(({ pid }) => pid);
}

/** Returns the parent's id, or 0 if the process has ended. */
export function parentOf(pid: number): number {
  return readProcess(pid)?.ppid ?? 0;
}

export function isAlive(pid: number): boolean {
  return readProcess(pid) !== null;
}

/** Returns null if the process has ended; a zombie counts as ended. */
function readProcess(pid: number): { pid: number; ppid: number } | null {
  try {
    // The name in parentheses may contain any character.
    const [state, ppid] = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    return state === "Z" || state === "X" ? null : { pid, ppid: Number(ppid) };
  } catch {
    return null;
  }
}
