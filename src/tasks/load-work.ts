import type { TaskContext } from "./define-task.js";

/** What a task does, once its parameters were checked. */
export interface Work {
  run(context: TaskContext<unknown>): Promise<unknown>;
}

/**
 * The work of a task by its name, without its declaration: the schemas would cost a process that
 * only works 7 MB and 70 ms. It is found in the folder of that name, so that a task is still one
 * folder and one line of the catalogue.
 */
export async function loadWork(name: string): Promise<Work> {
  return (await import(`./${name}/run.js`)) as Work;
}
