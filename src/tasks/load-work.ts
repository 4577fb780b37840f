import type { TaskContext } from "./define-task.js";

/** The work of a task; its parameters have been validated before. */
export interface Work {
  run(context: TaskContext<unknown>): Promise<unknown>;
}

/**
 * Loads the work of a task by its name, without its schemas, which would cost 7 MB and 70 ms. The
 * work is in the folder of that name, or in `folder` for a task outside this repository.
 */
export async function loadWork(name: string, folder?: string): Promise<Work> {
  if (folder === undefined) return (await import(`./${name}/run.js`)) as Work;
  const { loadOutsideWork } = await import("./outside/outside-work.js");
  return loadOutsideWork(folder);
}
