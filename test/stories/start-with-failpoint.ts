import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { FailpointName } from "../../src/runtime/failpoint.js";
import { eventually } from "../support/runner/eventually.js";
import type { FaultKind } from "./failpoint-process.js";

export interface FailingProcess {
  /** Resolves when the failpoint is reached. */
  hit(): Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<unknown>;
}

const entry = fileURLToPath(new URL("failpoint-process.js", import.meta.url));

/** Starts an API or a worker with an armed failpoint; resolves when it is ready. */
export async function startWithFailpoint(
  name: "api" | "worker",
  options: {
    port: number;
    env: Record<string, string>;
    fault: { at: FailpointName; how: FaultKind };
  },
): Promise<FailingProcess> {
  const { port, env, fault } = options;
  const child = fork(entry, [name], {
    env: {
      ...env,
      PATH: process.env["PATH"],
      NODE_ENV: "production",
      HOST: "127.0.0.1",
      PORT: String(port),
      WORKER_PORT: String(port),
      WORKER_CONCURRENCY: "1",
      LOG_LEVEL: "silent",
      FAILPOINT: fault.at,
      FAILPOINT_HOW: fault.how,
    },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const stop = () => void child.kill("SIGKILL");
  process.once("exit", stop);
  let reached = false;
  child.on("message", () => (reached = true));
  const ended = once(child, "exit").then(() => process.off("exit", stop));
  // The timeout is for a process that freezes during this request.
  await eventually(
    `the ${name} is ready`,
    () =>
      reached ||
      fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(1000) }).then(
        (response) => response.ok,
      ),
    60_000,
  ).catch((error: unknown) => {
    stop();
    throw error;
  });
  return {
    hit: () => eventually(`"${fault.at}" is reached`, () => reached, 60_000),
    kill: (signal) => void child.kill(signal),
    ended,
  };
}
