import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TASK = `
  import { z } from "zod";
  import { defineTask } from "photo-service/tasks";
  export const task = defineTask({
    name: "NAME",
    title: "Title of NAME",
    description: "A task of a test.",
    parameters: z.strictObject({ times: z.int().min(1).default(1).describe("Repetitions.") }),
    result: z.object({ done: z.int() }),
    minPhotos: 0,
    maxPhotos: 0,
    maxAttempts: 1,
    timeoutMs: 60_000,
    runsIn: "child",
    load: () => import("./run.js"),
  });
`;
const RUN = "export const run = async ({ parameters }) => ({ done: parameters.times });";

interface Files {
  /** Instead of a sound task.js. */
  task?: string;
  /** Appended to task.js. */
  also?: string;
  /** Instead of a sound run.js. */
  run?: string;
}

/** Writes tasks into a folder outside this repository. */
export function writeOutsideTasks(folder: string, tasks: Record<string, Files>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const [name, { task = TASK, also = "", run = RUN }] of Object.entries(tasks)) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, "task.js"), `${task.replaceAll("NAME", name)}\n${also}`);
    writeFileSync(join(folder, name, "run.js"), run);
  }
}

/** Copies the tasks of examples/tasks. */
export function copyExampleTasks(folder: string): void {
  cpSync("examples/tasks", folder, { recursive: true });
}
