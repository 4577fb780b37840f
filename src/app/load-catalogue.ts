import type { Logger } from "../runtime/logger.js";
import { catalogue } from "../tasks/catalogue.js";
import type { Task } from "../tasks/define-task.js";

export type Catalogue = ReadonlyMap<string, Task>;

/**
 * Returns every task by its name: those of this repository, and those of the folders and packages
 * in TASKS. A broken one is logged and left out.
 */
export async function loadCatalogue(entries: readonly string[], log: Logger): Promise<Catalogue> {
  if (entries.length === 0) return catalogue;
  const { loadOutsideTasks } = await import("./outside-tasks/load-outside-tasks.js");
  const { tasks, faults } = await loadOutsideTasks(entries, catalogue, log);
  for (const { folder, fault } of faults)
    log.warn({ folder }, `a task of TASKS is left out: ${folder} ${fault}`);
  log.info({ jobs: tasks.map(({ name }) => name) }, "loaded the tasks of TASKS");
  return new Map([...catalogue, ...tasks.map((task) => [task.name, task] as const)]);
}
