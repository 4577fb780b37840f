import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { processTree } from "../test/support/processes/process-tree.js";

/** Of Linux: what /proc counts in. */
const TICKS_PER_SECOND = 100;

/** CPU seconds of a process and all below it, those that have ended included. */
function cpuSeconds(root: number): number {
  return processTree(root).reduce((sum, pid) => sum + cpuOf(pid), 0);
}

function cpuOf(pid: number): number {
  // utime, stime, cutime, cstime; the name in parentheses may hold anything.
  const fields =
    read(`/proc/${pid}/stat`)
      ?.replace(/^.*\) /s, "")
      .split(" ")
      .slice(11, 15) ?? [];
  return fields.reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

/** Memory of a process and all below it in MB; what several share is split among them. */
export function memoryMb(root: number): number {
  return processTree(root).reduce((sum, pid) => sum + memoryOfOne(pid), 0);
}

/** Of this process alone, in MB. */
export function memoryOfOne(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "")?.[1] ?? 0) / 1024;
}

/** CPU seconds of the whole machine since it was started. */
function busySeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] =
    (read("/proc/stat") ?? "").split("\n")[0]?.split(/\s+/).slice(1).map(Number) ?? [];
  return (user + nice + system + irq + softIrq) / TICKS_PER_SECOND;
}

/** What a stretch of work took. */
export interface Cost {
  /** CPU milliseconds, in all and by name. */
  totalMs: number;
  ms: Record<string, number>;
  seconds: number;
  /**
   * How many cores' worth was used by others on this machine: the more, the rougher the figures.
   */
  coresElsewhere: number;
}

/** Counts what the named process trees use from now on; our own process is never in it. */
export function startMeter(roots: Record<string, number>): () => Cost {
  const take = () => ({
    cpu: Object.entries(roots).map(([name, pid]) => [name, cpuSeconds(pid)] as const),
    own: ownSeconds(),
    busy: busySeconds(),
    at: performance.now(),
  });
  const before = take();
  return () => {
    const after = take();
    const ms = Object.fromEntries(
      after.cpu.map(([name, seconds], i) => [name, (seconds - (before.cpu[i]?.[1] ?? 0)) * 1000]),
    );
    const totalMs = Object.values(ms).reduce((sum, one) => sum + one, 0);
    const seconds = (after.at - before.at) / 1000;
    const elsewhere = after.busy - before.busy - totalMs / 1000 - (after.own - before.own);
    return {
      totalMs,
      ms,
      seconds,
      coresElsewhere: Math.min(availableParallelism(), Math.max(0, elsewhere / seconds)),
    };
  };
}

function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}
