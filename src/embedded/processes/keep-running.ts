import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../../runtime/logger.js";

/** One process that runs. */
export interface Running {
  pid: number;
  /** Resolves with how it ended, whoever ended it: "code 1", "signal SIGKILL". */
  exited: Promise<string>;
  /** Resolves when it has ended. */
  stop(): Promise<void>;
}

/** For `exited`, of a child of ours; rejects when it could not be spawned. */
export async function howEnded(child: ChildProcess): Promise<string> {
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return signal ? `signal ${signal}` : `code ${code}`;
}

export interface BackOff {
  firstMs: number;
  mostMs: number;
  /** A process that lived as long as this begins anew with `firstMs`. */
  healthyMs: number;
}

export interface KeepRunningOptions {
  name: string;
  log: Logger;
  /**
   * Starts it; called again whenever it ended. `signal` is aborted when there is no more use in
   * starting it.
   */
  launch(signal: AbortSignal): Promise<Running>;
  backOff?: BackOff;
}

export interface KeptRunning {
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /**
   * Stops it, and starts it again at once; `why` stands in the log. Resolves when the old one has
   * ended.
   */
  restart(why: string): Promise<void>;
  /** Stops it for good; resolves when it has ended. */
  close(): Promise<void>;
}

const BACK_OFF: BackOff = { firstMs: 200, mostMs: 5_000, healthyMs: 10_000 };

/** Ends in a row after which a person should look. */
const MANY = 5;

/**
 * Starts something, which may throw, and from then on starts it again each time it ends by itself.
 */
export async function keepRunning({
  name,
  log,
  launch,
  backOff = BACK_OFF,
}: KeepRunningOptions): Promise<KeptRunning> {
  const closing = new AbortController();
  let current = await launch(closing.signal);
  let runs = true;
  /** Why the end of the one that runs is wanted; null when it is not. */
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
        log[tries < MANY ? "warn" : "error"](
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
      // One that has ended is being started again anyway.
      if (!runs) return;
      wanted = why;
      await current.stop();
    },
    async close() {
      closing.abort();
      await current.stop();
      await loop;
      // The one whose start was under way.
      await current.stop();
    },
  };
}

function backOffMs({ firstMs, mostMs }: BackOff, tries: number): number {
  return Math.min(firstMs * 2 ** tries, mostMs);
}

/**
 * Tries until one runs. Null when closing came first; one that runs although closing has begun is
 * still to be stopped.
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
