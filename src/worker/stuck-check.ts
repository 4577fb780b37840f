import { LANES } from "../queue/hint-queue.js";
import type { Task } from "../tasks/define-task.js";
import type { TaskWorker } from "./task-worker.js";

/** Longer than the reconciler takes to bring lost hints back. */
const AFTER_MS = 60_000;

/**
 * Whether a worker that could take work does: null, or why not. One that has room, and took nothing
 * for a while although work was due all the while, is stuck, whatever its connections say.
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
      const resting = taskWorker.restingMs(lane);
      if (resting > afterMs && (await hasWaited(jobs, afterMs / 1000)))
        return (
          `has taken nothing in the lane "${lane}" for ${Math.round(resting / 1000)} s, ` +
          "while work waits"
        );
    }
    return null;
  };
}
