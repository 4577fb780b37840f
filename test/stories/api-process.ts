import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../support/runner/eventually.js";
import { programFile } from "../support/processes/program-file.js";
import { freePort } from "../../src/embedded/ports.js";

/** Load of an API process during some work. */
export interface Strain {
  /**
   * Longest time that the event loop was busy before it answered `/health/live`. It is processor
   * time, so that other load on the machine does not count.
   */
  blockedMs: number;
  /** Peak memory growth. */
  grownMb: number;
}

export interface ApiProcess {
  url: string;
  strain(work: () => Promise<unknown>): Promise<Strain>;
  stop(): void;
}

/** Starts an API in a separate process, as in production; by default on a free port. */
export async function startApiProcess(
  env: Record<string, string>,
  port?: number,
): Promise<ApiProcess> {
  const PORT = String(port ?? (await freePort()));
  const url = `http://127.0.0.1:${PORT}`;
  const child = spawn(process.execPath, [programFile("api")], {
    env: { ...env, PATH: process.env["PATH"], HOST: "127.0.0.1", PORT, LOG_LEVEL: "warn" },
    stdio: ["ignore", process.env["API_LOG"] ? "inherit" : "ignore", "inherit"],
  });
  const stop = (): void => {
    process.off("exit", stop);
    child.kill("SIGKILL");
  };
  process.once("exit", stop);
  const isLive = (): Promise<boolean> =>
    fetch(`${url}/health/live`).then((response) => response.ok);
  await eventually("the API is live", isLive, 60_000);

  async function strain(work: () => Promise<unknown>): Promise<Strain> {
    // Resets the peak of the memory to its current value.
    writeFileSync(`/proc/${child.pid}/clear_refs`, "5");
    const before = megabytes("VmRSS", child.pid);
    let [blockedMs, laps, over] = [0, 0, false];
    const end = work().finally(() => (over = true));
    while (!over || laps < 2) {
      const busyBefore = busyMs(child.pid);
      await isLive();
      blockedMs = Math.max(blockedMs, busyMs(child.pid) - busyBefore);
      laps++;
      await pause(5);
    }
    await end;
    return {
      blockedMs: Math.round(blockedMs),
      grownMb: Math.round(megabytes("VmHWM", child.pid) - before),
    };
  }

  return { url, strain, stop };
}

/** Processor time of the thread that runs the event loop. */
function busyMs(pid: number | undefined): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "latin1").split(" ")[0]) / 1e6;
}

function megabytes(name: string, pid: number | undefined): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(
    readFileSync(`/proc/${pid}/status`, "latin1"),
  );
  return Number(line?.[1]) / 1024;
}
