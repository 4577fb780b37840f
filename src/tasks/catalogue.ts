import type { Task } from "./define-task.js";
import { echo } from "./echo/task.js";
import { metadata } from "./metadata/task.js";
import { placeholder } from "./placeholder/task.js";
import { thumbnail } from "./thumbnail/task.js";

const tasks = [echo, thumbnail, metadata, placeholder] as const satisfies readonly Task[];

export type TaskName = (typeof tasks)[number]["name"];

/** Every task by its name: what can be submitted and what a worker can run. */
export const catalogue: ReadonlyMap<string, Task> = new Map<string, Task>(tasks.map((task) => [task.name, task]));
