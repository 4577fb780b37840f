import { LANES } from "../queue/hint-queue.js";
import type { Task } from "../tasks/define-task.js";
import type { TaskWorker } from "./task-worker.js";

/** Longer than the reconciler needs to restore lost hints. */
const AFTER_MS = 60_000;

/**
 * Returns null for a healthy worker, else the reason why it does not work. A worker with room that
 * has taken nothing for a while, although work was due, is stuck. Its connections may still look
 * healthy.
 */
export function createStuckCheck(deps: {
  taskWorker: Pick<TaskWorker, "idleReason" | "restingMs">;
  hasWaited(jobs: readonly string[], seconds: number): Promise<boolean>;
  catalogue: ReadonlyMap<string, Task>;
  afterMs?: number;
}): () => Promise<string | null> {
  const { taskWorker, hasWaited, catalogue, afterMs = AFTER_MS } = deps;
  const jobsOf = new Map(
    LANES.map((lane) => [
      lane,
      [...catalogue.values()].filter((task) => task.runsIn === lane).map((task) => task.name),
    ]),
  );
  return async () => {
    const idle = taskWorker.idleReason();
    if (idle !== null) return idle;
    for (const [lane, jobs] of jobsOf) {
      const restingMs = taskWorker.restingMs(lane);
      if (restingMs > afterMs && (await hasWaited(jobs, afterMs / 1000)))
        return (
          `has taken nothing in the lane "${lane}" for ${Math.round(restingMs / 1000)} s, ` +
          "while work waits"
        );
    }
    return null;
  };
}
