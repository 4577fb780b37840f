import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../../src/embedded/ports.js";
import { programFile } from "../support/processes/program-file.js";

export type Role = "api" | "worker";

/** A process of the service, started as in production. */
export interface ServiceProcess {
  role: Role;
  name: string;
  pid: number;
  /** Address of the API, or of the worker's health endpoint. */
  url: string;
  /** Resolves with the exit reason, e.g. "code 0" or "signal SIGKILL". */
  exited: Promise<string>;
  /** True if the end of the process is expected. */
  mayEnd: boolean;
  signal(signal: NodeJS.Signals): void;
}

const READY_WITHIN_MS = 60_000;

/**
 * Starts a process, in the folder `cwd` if given, and resolves when it is ready. Its output goes to
 * `<logs>/<name>.log`.
 */
export async function startServiceProcess(options: {
  role: Role;
  name: string;
  env: Record<string, string>;
  logs: string;
  cwd?: string;
}): Promise<ServiceProcess> {
  const { role, name, env, logs, cwd } = options;
  const port = await freePort();
  const log = openSync(join(logs, `${name}.log`), "a");
  // The process has its own session, so that Ctrl-C does not reach it. Through the IPC channel it
  // notices when this process has ended.
  const child = spawn(process.execPath, [programFile(role)], {
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
    cwd,
    env: { ...env, PORT: String(port), WORKER_PORT: String(port) },
  });
  closeSync(log);
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ? `signal ${signal}` : `code ${code}`));
    child.once("error", (error) => resolve(String(error)));
  });
  const running: ServiceProcess = {
    role,
    name,
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${port}`,
    exited,
    mayEnd: false,
    signal: (signal) => void child.kill(signal),
  };
  await untilReady(running);
  return running;
}

async function untilReady({ name, url, exited }: ServiceProcess): Promise<void> {
  let end: string | null = null;
  void exited.then((how) => (end = how));
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline && end === null;) {
    const ready = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(3000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await pause(50);
  }
  throw new Error(`${name} did not become ready: ${end ?? `not within ${READY_WITHIN_MS} ms`}`);
}
