import { readFileSync } from "node:fs";

/**
 * Whether a process runs; one that is dead and only waits to be collected by its parent does not.
 */
export function processAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    // Where there is no /proc, the signal's answer is all there is.
    return (error as NodeJS.ErrnoException).code === "ENOENT" && process.platform !== "linux";
  }
}
