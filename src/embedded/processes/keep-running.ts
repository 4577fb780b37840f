import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../../runtime/logger.js";

export interface Running {
  pid: number;
  /** Resolves with how it ended, for whatever reason: "code 1", "signal SIGKILL". */
  exited: Promise<string>;
  /** Stops it; resolves when it has ended. */
  stop(): Promise<void>;
}

/** How a child process ended, for `exited`. Rejects when it could not be spawned. */
export async function howEnded(child: ChildProcess): Promise<string> {
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return signal ? `signal ${signal}` : `code ${code}`;
}

export interface BackOff {
  firstMs: number;
  maxMs: number;
  /** A process that ran this long starts again with `firstMs`. */
  healthyMs: number;
}

export interface KeepRunningOptions {
  name: string;
  log: Logger;
  /**
   * Starts the process; called again whenever it has ended. `signal` is aborted when the process is
   * not needed any more.
   */
  launch(signal: AbortSignal): Promise<Running>;
  backOff?: BackOff;
}

export interface KeptRunning {
  /** The pid of the current process, or of the last one. */
  readonly pid: number;
  /**
   * Stops the process and starts it again at once; `why` appears in the log. Resolves when the old
   * process has ended.
   */
  restart(why: string): Promise<void>;
  /** Stops it permanently; resolves when it has ended. */
  close(): Promise<void>;
}

const BACK_OFF: BackOff = { firstMs: 200, maxMs: 5_000, healthyMs: 10_000 };

/** Number of successive ends after which the log level is error. */
const MAX_QUIET_RESTARTS = 5;

/** Starts a process, which may throw, and starts it again each time it ends by itself. */
export async function keepRunning({
  name,
  log,
  launch,
  backOff = BACK_OFF,
}: KeepRunningOptions): Promise<KeptRunning> {
  const closing = new AbortController();
  let current = await launch(closing.signal);
  let runs = true;
  /** The reason for a requested restart; null when none was requested. */
  let wanted: string | null = null;
  const loop = keep();

  async function keep(): Promise<void> {
    for (let tries = 0; ; tries++) {
      const since = performance.now();
      const how = await current.exited;
      runs = false;
      if (closing.signal.aborted) return;
      if (wanted !== null || performance.now() - since >= backOff.healthyMs) tries = 0;
      if (wanted !== null) log.info({ process: name }, `${wanted}, restarting ${name}`);
      else
        log[tries < MAX_QUIET_RESTARTS ? "warn" : "error"](
          { process: name, childPid: current.pid, how, tries },
          `${name} ended by itself; starting it again`,
        );
      const waitMs = wanted === null ? backOffMs(backOff, tries) : 0;
      const next = await startAgain({ name, log, launch, backOff }, { tries, waitMs }, closing);
      if (next) current = next;
      if (!next || closing.signal.aborted) return;
      wanted = null;
      runs = true;
    }
  }

  return {
    get pid() {
      return current.pid;
    },
    async restart(why) {
      // A process that has ended is started again anyway.
      if (!runs) return;
      wanted = why;
      await current.stop();
    },
    async close() {
      closing.abort();
      await current.stop();
      await loop;
      // Stops a process whose start was in progress.
      await current.stop();
    },
  };
}

function backOffMs({ firstMs, maxMs }: BackOff, tries: number): number {
  return Math.min(firstMs * 2 ** tries, maxMs);
}

/**
 * Tries until a process runs. Null when closing came first. A process that started during closing
 * is returned and must still be stopped.
 */
async function startAgain(
  { name, log, launch, backOff }: Required<KeepRunningOptions>,
  first: { tries: number; waitMs: number },
  { signal }: AbortController,
): Promise<Running | null> {
  for (let { tries, waitMs } = first; ; waitMs = backOffMs(backOff, ++tries)) {
    try {
      await sleep(waitMs, undefined, { signal });
      const started = await launch(signal);
      if (!signal.aborted) log.info({ process: name, childPid: started.pid }, `${name} runs again`);
      return started;
    } catch (error) {
      if (signal.aborted) return null;
      log.error({ process: name, err: error }, `${name} cannot be started again yet`);
    }
  }
}
