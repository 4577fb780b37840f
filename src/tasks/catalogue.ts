import type { Task } from "./define-task.js";
import { echo } from "./echo/task.js";

const tasks = [echo] as const satisfies readonly Task[];

export type TaskName = (typeof tasks)[number]["name"];

/** Every task by its name: what can be submitted and what a worker can run. */
export const catalogue: ReadonlyMap<string, Task> = new Map<string, Task>(tasks.map((task) => [task.name, task]));
