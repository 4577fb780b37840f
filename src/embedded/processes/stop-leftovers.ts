import type { Logger } from "../../runtime/logger.js";
import { EmbeddedError } from "../embedded-error.js";
import { processesIn } from "./processes-in.js";
import { waitUntil } from "./wait-until.js";

export interface StopStep {
  signal: NodeJS.Signals;
  waitMs: number;
  /** Which of those found get the signal; all by default. With none of them the step only waits. */
  to?: (pid: number) => boolean;
}

/**
 * Ends what a run that was killed left working in `folder`; step by step, until nothing is left.
 */
export async function stopLeftovers(options: {
  folder: string;
  programs: string[];
  steps: StopStep[];
  log: Logger;
}): Promise<void> {
  const { folder, programs, steps, log } = options;
  const find = (): number[] => processesIn(folder, programs);
  if (find().length === 0) return;
  log.warn({ pids: find(), folder }, "a server was left running: stopping it");
  for (const { signal, waitMs, to = () => true } of steps) {
    for (const pid of find().filter(to)) send(pid, signal);
    if (await waitUntil(() => find().length === 0, { deadlineMs: waitMs })) return;
  }
  throw new EmbeddedError(
    `An earlier server still runs in ${folder} and does not stop: end process ` +
      `${find().join(", ")} and start again.`,
  );
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Ended meanwhile; or not ours to signal, and then the last step says so.
  }
}
