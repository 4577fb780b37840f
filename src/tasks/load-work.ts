import type { TaskContext } from "./define-task.js";

/** The work of a task; its parameters have been validated before. */
export interface Work {
  run(context: TaskContext<unknown>): Promise<unknown>;
}

/**
 * Loads the work of a task by its name, without its schemas, which would cost 7 MB and 70 ms. The
 * work is in the folder of that name, so that a task is one folder and one line of the catalogue.
 */
export async function loadWork(name: string): Promise<Work> {
  return (await import(`./${name}/run.js`)) as Work;
}
