import { spawn } from "node:child_process";
import { once } from "node:events";
import { eventually } from "../support/runner/eventually.js";
import { programFile } from "../support/processes/program-file.js";

export interface WorkerProcess {
  /** Log messages so far. */
  logged: string[];
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code or signal. */
  ended(deadlineMs?: number): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Starts a worker as in production; resolves when it takes work. */
export async function startWorkerProcess(
  env: Record<"DATABASE_URL" | "REDIS_URL" | "STORAGE_URL", string> & Record<string, string>,
): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [programFile("worker")], {
    env: {
      PATH: process.env["PATH"],
      NODE_ENV: "production",
      HOST: "127.0.0.1",
      WORKER_PORT: "0",
      WORKER_CONCURRENCY: "1",
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => child.kill("SIGKILL"));
  const logged: string[] = [];
  let rest = "";
  child.stdout.on("data", (bytes) => {
    const lines = `${rest}${String(bytes)}`.split("\n");
    rest = lines.pop() ?? "";
    logged.push(...lines.map((line) => (JSON.parse(line) as { msg: string }).msg));
  });
  const end = once(child, "exit").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  let ended: Awaited<typeof end> | null = null;
  void end.then((how) => (ended = how));
  await eventually(
    "the worker takes work",
    () => {
      if (ended) throw new Error(`The worker ended: ${logged.join("; ")}`);
      return logged.includes("takes work");
    },
    60_000,
  ).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  return {
    logged,
    kill: (signal) => void child.kill(signal),
    ended: (deadlineMs) => eventually("the worker has ended", () => ended, deadlineMs),
  };
}
