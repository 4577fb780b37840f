import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Logger } from "../../runtime/logger.js";
import {
  howEnded,
  keepRunning,
  type BackOff,
  type KeptRunning,
  type Running,
} from "./keep-running.js";
import { waitUntil } from "./wait-until.js";

export interface ChildOptions {
  /** All of its environment: nothing is inherited. */
  env: Record<string, string | undefined>;
  args?: string[];
  /** Before the script. */
  nodeArgs?: string[];
  /**
   * Told to the child as a message once it is known; whoever started it sees to it where it fails.
   */
  tell?: Promise<object>;
  /** What the child tells with process.send(). */
  onMessage?: (message: unknown) => void;
}

/** A process that runs until the supervisor is closed. */
export type Supervised = Pick<KeptRunning, "pid" | "restart">;

export interface Supervisor {
  /** Runs a script with node and starts it again whenever it ends; resolves when it was started. */
  start(name: string, scriptPath: string, options: ChildOptions): Promise<Supervised>;
  /** Stops all, the last started first, each within the deadline. */
  close(): Promise<void>;
  /** Kills what `close()` is still waiting for, or would wait for. */
  hurry(): void;
}

/**
 * Keeps node processes running. Each is in a session of its own, so that a Ctrl-C in the terminal
 * reaches only the supervisor, which then stops them in order; and each has an IPC channel, whose
 * "disconnect" tells it that the supervisor died.
 */
export function createSupervisor(options: {
  log: Logger;
  stopDeadlineMs?: number;
  backOff?: BackOff;
}): Supervisor {
  const { log, stopDeadlineMs = 12_000, backOff } = options;
  const kept: KeptRunning[] = [];
  const hurried = new AbortController();
  const stopping = { deadlineMs: stopDeadlineMs, hurried: hurried.signal };
  let closing = false;
  return {
    async start(name, scriptPath, child) {
      if (closing) throw new Error(`${name} cannot be started: the supervisor is closed`);
      const launch = (): Promise<Running> => launchNode(scriptPath, child, stopping);
      const running = await keepRunning({ name, log, launch, ...(backOff && { backOff }) });
      if (closing) await running.close();
      else kept.push(running);
      return running;
    },
    async close() {
      closing = true;
      for (let last = kept.pop(); last; last = kept.pop()) await last.close();
    },
    hurry: () => hurried.abort(),
  };
}

interface Stopping {
  deadlineMs: number;
  /** Once aborted, nothing is waited for. */
  hurried: AbortSignal;
}

async function launchNode(
  script: string,
  options: ChildOptions,
  stopping: Stopping,
): Promise<Running> {
  const { env, args = [], nodeArgs = [], tell, onMessage } = options;
  const child = spawn(process.execPath, [...nodeArgs, script, ...args], {
    env,
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = howEnded(child);
  // The error of spawning is thrown below.
  void exited.then(() => killGroup(child)).catch(() => undefined);
  tell?.then(
    (message) => child.connected && child.send(message, () => {}),
    () => {},
  );
  if (onMessage) child.on("message", onMessage);
  await once(child, "spawn");
  return { pid: child.pid ?? 0, exited, stop: () => stop(child, exited, stopping) };
}

async function stop(
  child: ChildProcess,
  exited: Promise<string>,
  { deadlineMs, hurried }: Stopping,
): Promise<void> {
  child.kill("SIGTERM");
  let ended = false;
  const end = exited.then(() => (ended = true));
  await waitUntil(() => ended || hurried.aborted, { deadlineMs });
  if (!ended) killGroup(child);
  await end;
}

/** Whatever a child started and left behind ends with it. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left.
  }
}
