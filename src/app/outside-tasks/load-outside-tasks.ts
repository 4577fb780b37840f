import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { createChildPool } from "../../child-pool/child-pool.js";
import { ChildStoppedError } from "../../child-pool/exit-reason.js";
import { ServiceUnavailableError } from "../../domain/errors.js";
import { createTypedJobs } from "../../graphql/typed-jobs/typed-jobs.js";
import type { Logger } from "../../runtime/logger.js";
import type { Task } from "../../tasks/define-task.js";
import { findTasks, type TaskFault } from "../../tasks/outside/find-tasks.js";
import { importFile } from "../../tasks/outside/outside-work.js";
import { toTask } from "../../tasks/outside/to-task.js";

/** Time and memory that loading the files of one task may take. */
const LOAD_MS = 10_000;
const LOAD_BYTES = 1.5 * 1024 ** 3;

export interface OutsideTasks {
  tasks: Task[];
  faults: TaskFault[];
}

/** Loads the tasks of TASKS; a broken one becomes a fault. `own` are this repository's tasks. */
export async function loadOutsideTasks(
  entries: readonly string[],
  own: ReadonlyMap<string, Task>,
  log: Logger,
): Promise<OutsideTasks> {
  const { folders, faults } = findTasks(entries);
  const taken = new Map([...own.keys()].map((name) => [name, "a task of the service"]));
  const checked = await checkInChildren(folders, log);
  const tasks: Task[] = [];
  for (const folder of folders) {
    const name = basename(folder);
    const owner = taken.get(name);
    const fault =
      owner === undefined ? (checked.get(folder) ?? null) : `has the name of ${owner}: rename it`;
    const task = fault ?? (await loadTask(folder, [...own.values(), ...tasks]));
    if (typeof task === "string") {
      faults.push({ folder, fault: task });
      continue;
    }
    taken.set(name, folder);
    tasks.push(task);
  }
  return { tasks, faults };
}

/** Returns the task, or its fault: one is also a GraphQL type that another task has already. */
async function loadTask(folder: string, others: Task[]): Promise<Task | string> {
  const maxPhotos = Math.max(...others.map((task) => task.maxPhotos));
  try {
    const task = toTask(await importFile(folder, "task.js"), folder, { maxPhotos });
    createTypedJobs([...others, task]);
    return task;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Imports each task in a child; returns the faults by folder. */
async function checkInChildren(folders: string[], log: Logger): Promise<Map<string, string>> {
  if (folders.length === 0) return new Map();
  const pool = createChildPool({
    entry: new URL("./check-child.js", import.meta.url),
    size: Math.min(folders.length, availableParallelism()),
    memoryLimitBytes: LOAD_BYTES,
    // The fault is logged once, by the caller.
    log: log.child({}, { level: "silent" }),
  });
  const faults = new Map<string, string>();
  const check = (folder: string) =>
    pool
      .run(folder, { timeoutMs: LOAD_MS })
      .catch((error: unknown) => faults.set(folder, explain(error)));
  await Promise.all(folders.map(check)).finally(() => pool.close());
  return faults;
}

/** Throws when no child can be started, because then the task is not the reason. */
function explain(error: unknown): string {
  if (error instanceof ServiceUnavailableError) throw error;
  if (error instanceof ChildStoppedError && error.reason === "timeout")
    return `is not loaded after ${LOAD_MS / 1000} s: task.js and run.js must not wait at their top`;
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof ChildStoppedError ? `cannot be loaded: ${message}` : message;
}
