import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { processTree } from "../test/support/processes/process-tree.js";

/** Unit of /proc on Linux. */
const TICKS_PER_SECOND = 100;

/** CPU seconds of a process and its descendants, including ended ones. */
function cpuSeconds(root: number): number {
  return processTree(root).reduce((sum, pid) => sum + cpuOf(pid), 0);
}

function cpuOf(pid: number): number {
  // utime, stime, cutime, cstime; the name in parentheses may contain any character.
  const fields =
    read(`/proc/${pid}/stat`)
      ?.replace(/^.*\) /s, "")
      .split(" ")
      .slice(11, 15) ?? [];
  return fields.reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

/** Memory of a process and its descendants in MB; shared memory is split among processes. */
export function memoryMb(root: number): number {
  return processTree(root).reduce((sum, pid) => sum + memoryOfOne(pid), 0);
}

/** Memory of one process in MB. */
export function memoryOfOne(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "")?.[1] ?? 0) / 1024;
}

/** CPU seconds of the whole machine since its start. */
function busySeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] =
    (read("/proc/stat") ?? "").split("\n")[0]?.split(/\s+/).slice(1).map(Number) ?? [];
  return (user + nice + system + irq + softIrq) / TICKS_PER_SECOND;
}

/** Cost of some work. */
export interface Cost {
  /** CPU milliseconds, in total and by name. */
  totalMs: number;
  ms: Record<string, number>;
  /** CPU milliseconds of this process. */
  ownMs: number;
  seconds: number;
  /** Cores used by other processes on this machine; a high number makes results less reliable. */
  coresElsewhere: number;
}

/** Measures the named process trees from now on. This process is never included. */
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
    const own = after.own - before.own;
    const elsewhere = after.busy - before.busy - totalMs / 1000 - own;
    return {
      totalMs,
      ms,
      ownMs: own * 1000,
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
