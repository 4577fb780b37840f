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
  /** The complete environment; nothing is inherited. */
  env: Record<string, string | undefined>;
  args?: string[];
  /** Arguments for node, before the script. */
  nodeArgs?: string[];
  /** Messages that are sent to the child once they are available. The caller handles rejections. */
  messages?: Promise<object>[];
  /** Receives the messages that the child sends with process.send(). */
  onMessage?: (message: unknown) => void;
}

export type Supervised = Pick<KeptRunning, "pid" | "restart">;

export interface Supervisor {
  /**
   * Runs a script with node, and starts it again whenever it ends. Resolves when it was started.
   */
  start(name: string, scriptPath: string, options: ChildOptions): Promise<Supervised>;
  /** Stops all processes, the last started first, each within the deadline. */
  close(): Promise<void>;
  /** Kills the processes that `close()` waits for, or would wait for. */
  hurry(): void;
}

/**
 * Keeps node processes running. Each has its own session, so that Ctrl-C in the terminal reaches
 * only the supervisor, which stops them in order. Each also has an IPC channel, whose "disconnect"
 * event shows that the supervisor died.
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
  /** Once aborted, processes are killed without waiting. */
  hurried: AbortSignal;
}

async function launchNode(
  script: string,
  options: ChildOptions,
  stopping: Stopping,
): Promise<Running> {
  const { env, args = [], nodeArgs = [], messages = [], onMessage } = options;
  const child = spawn(process.execPath, [...nodeArgs, script, ...args], {
    env,
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = howEnded(child);
  // once() below throws errors of spawning.
  void exited.then(() => killGroup(child)).catch(() => undefined);
  for (const available of messages)
    available.then(
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

/** Also ends the processes that a child has left behind. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // No process is left.
  }
}
