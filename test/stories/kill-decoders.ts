import { readdirSync, readlinkSync } from "node:fs";
import { processTree } from "../support/processes/process-tree.js";

export interface DecoderKiller {
  /** Number of killed processes. */
  readonly deaths: number;
  stop(): void;
}

/** Crashes each child of this process that opens the photo's file. It needs Linux's /proc. */
export function killDecoders(photoId: string): DecoderKiller {
  const killed = new Set<number>();
  const timer = setInterval(() => {
    for (const pid of processTree(process.pid)) {
      if (pid === process.pid || killed.has(pid) || !hasOpen(pid, photoId)) continue;
      killed.add(pid);
      process.kill(pid, "SIGSEGV");
    }
  }, 5);
  return {
    get deaths() {
      return killed.size;
    },
    stop: () => clearInterval(timer),
  };
}

function hasOpen(pid: number, name: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) =>
      readlinkSync(`/proc/${pid}/fd/${fd}`).includes(name),
    );
  } catch {
    // The process has ended or closed a file since.
    return false;
  }
}
